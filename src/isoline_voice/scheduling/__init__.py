"""Whose turn it is: fairness between clients, priorities, bounded waiting, deadlines."""
