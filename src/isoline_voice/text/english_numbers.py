"""Writes the figures in English text the way they are read aloud.

$3.50 is three dollars and fifty cents, 2024-05-01 is May first, twenty twenty-four, 555-0100 goes digit by digit. No
library of those that the registries keep reads sums, dates and units; what they do read, whole numbers, is a page.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_ONES = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen""".split()  # noqa: SIM905
_TENS = "_ _ twenty thirty forty fifty sixty seventy eighty ninety".split()  # noqa: SIM905
_GROUPS = ("", "thousand", "million", "billion", "trillion")
_ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip
_MONTHS = """January February March April May June July August September October November
    December""".split()  # noqa: SIM905
_CURRENCIES = {"$": ("dollar", "cent"), "€": ("euro", "cent"), "£": ("pound", "penny"), "¥": ("yuan", "")}
_SCALES = {"k": "thousand", "m": "million", "bn": "billion", "b": "billion"}
_CODES = {"USD": "US dollars", "EUR": "euros", "GBP": "pounds", "CNY": "yuan", "RMB": "yuan", "JPY": "yen"}
_ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
UNITS = {
    "km/h": "kilometers per hour", "mph": "miles per hour", "km": "kilometers", "cm": "centimeters",
    "mm": "millimeters", "m": "meters", "kg": "kilograms", "mg": "milligrams", "g": "grams", "lb": "pounds",
    "lbs": "pounds", "ml": "milliliters", "GB": "gigabytes", "MB": "megabytes", "kB": "kilobytes", "TB": "terabytes",
    "GHz": "gigahertz", "MHz": "megahertz", "kHz": "kilohertz", "Hz": "hertz", "kW": "kilowatts", "W": "watts",
    "°C": "degrees Celsius", "℃": "degrees Celsius", "°F": "degrees Fahrenheit", "°": "degrees", "ms": "milliseconds",
    "ft": "feet",
}  # fmt: skip
LONGEST_CARDINAL = 15
"""Digits; what is longer is read digit by digit."""

_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_EDGE = r"(?<![\w.])"


def read_english(text: str) -> str:
    """English text with its figures in words; figures that belong to a word (MP3) are left."""
    for pattern, read in _RULES:
        text = pattern.sub(read, text)
    return text


def cardinal(value: int) -> str:
    """A whole number below a quadrillion: 1234 is one thousand two hundred thirty-four."""
    if value < 0:
        return f"minus {cardinal(-value)}"
    if value < 20:
        return _ONES[value]
    if value < 100:
        tens, ones = divmod(value, 10)
        return _TENS[tens] + (f"-{_ONES[ones]}" if ones else "")
    if value < 1000:
        hundreds, rest = divmod(value, 100)
        return f"{_ONES[hundreds]} hundred" + (f" {cardinal(rest)}" if rest else "")
    groups: list[str] = []
    for name in _GROUPS:
        value, rest = divmod(value, 1000)
        if rest:
            groups.append(f"{cardinal(rest)} {name}".strip())
        if not value:
            break
    return " ".join(reversed(groups))


def ordinal(value: int) -> str:
    """21 is twenty-first."""
    head, dash, last = cardinal(value).rpartition("-") if "-" in cardinal(value) else ("", "", cardinal(value))
    before, space, word = last.rpartition(" ")
    word = _ORDINALS.get(word) or (f"{word[:-1]}ieth" if word.endswith("y") else f"{word}th")
    return f"{head}{dash}{before}{space}{word}"


def year(value: int) -> str:
    """1984 is nineteen eighty-four, 2007 two thousand seven, 1900 nineteen hundred."""
    century, rest = divmod(value, 100)
    if 2000 <= value < 2010 or not 1000 <= value < 3000:
        return cardinal(value)
    if rest == 0:
        return cardinal(value) if century % 10 == 0 else f"{cardinal(century)} hundred"
    return f"{cardinal(century)} {f'oh {_ONES[rest]}' if rest < 10 else cardinal(rest)}"


def digits(figures: str) -> str:
    """Each digit on its own: 502 is five zero two."""
    return " ".join(_ONES[int(figure)] for figure in figures if figure.isdigit())


def number(figure: str) -> str:
    """A number with or without separators and decimals."""
    whole, _, decimals = figure.replace(",", "").partition(".")
    by_digits = len(whole) > LONGEST_CARDINAL or (len(whole) > 1 and whole[0] == "0")
    words = digits(whole) if by_digits else cardinal(int(whole))
    return f"{words} point {digits(decimals)}" if decimals else words


def _money(match: re.Match[str]) -> str:
    unit, part = _CURRENCIES[match[1]]
    whole, _, decimals = match[2].replace(",", "").partition(".")
    if match[3]:
        return f"{number(match[2])} {_SCALES[match[3].lower()]} {_plural(unit)}"
    words = f"{number(whole)} {unit if whole == '1' else _plural(unit)}"
    if len(decimals) == 2 and part:
        cents = int(decimals)
        words += f" and {cardinal(cents)} {part if cents == 1 else _plural(part)}" if cents else ""
        return words.removeprefix(f"zero {_plural(unit)} and ")
    return f"{number(match[2])} {_plural(unit)}" if decimals else words


def _plural(unit: str) -> str:
    return {"penny": "pence", "yuan": "yuan"}.get(unit, f"{unit}s")


def _iso_date(match: re.Match[str]) -> str:
    return f"{_MONTHS[int(match[2]) - 1]} {ordinal(int(match[3]))}, {year(int(match[1]))}"


def _slashed_date(match: re.Match[str]) -> str:
    """The month first, as Americans write, unless it can only be the day."""
    first, second = int(match[1]), int(match[2])
    month, day = (second, first) if first > 12 else (first, second)
    if month > 12:
        return match.group()
    return f"{_MONTHS[month - 1]} {ordinal(day)}, {year(int(match[3]))}"


def _fraction(match: re.Match[str]) -> str:
    above, below = int(match[1]), int(match[2])
    if above >= below:
        return match.group()
    part = {2: "half", 4: "quarter"}.get(below) or ordinal(below)
    return f"{cardinal(above)} {part if above == 1 else 'halves' if below == 2 else f'{part}s'}"


def _decade(match: re.Match[str]) -> str:
    words = year(int(match[1]))
    return f"{words[:-1]}ies" if words.endswith("y") else f"{words}s"


def _roman(match: re.Match[str]) -> str:
    values = [_ROMAN[letter] for letter in match[2]]
    total = sum(-value if value < max(values[at:]) else value for at, value in enumerate(values))
    return f"{match[1]} {cardinal(total)}"


def _time(match: re.Match[str]) -> str:
    hour, minute, half = int(match[1]), match[2], match[3]
    words = cardinal(hour)
    if minute != "00":
        words += f" oh {_ONES[int(minute)]}" if minute[0] == "0" else f" {cardinal(int(minute))}"
    elif not half:
        words += " o'clock" if 0 < hour <= 12 else " hundred hours"
    return words + (f" {half[0].upper()} M" if half else "")


def _unit(match: re.Match[str]) -> str:
    words = UNITS[match[2]]
    if match[1] == "1":
        words = words.replace("degrees", "degree").replace("feet", "foot")
        head, space, rest = words.partition(" ")
        words = (head[:-1] if head.endswith("s") and head != "celsius" else head) + space + rest
    return f"{number(match[1])} {words}"


_UNITS = "|".join(re.escape(unit) for unit in sorted(UNITS, key=len, reverse=True))
_MONTH_NAMES = "|".join(_MONTHS) + "|" + "|".join(rf"{month[:3]}\.?" for month in _MONTHS)
_RULES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (
        re.compile(_EDGE + r"(v?)(\d+(?:\.\d+){2,})(?![\w-])"),
        lambda match: f"{match[1]} {' dot '.join(map(digits, match[2].split('.')))}".lstrip(),
    ),
    (
        re.compile(r"\b((?i:chapter|part|book|volume|section|act|scene)) (X{0,3}(?:IX|IV|V?I{1,3}|V|X))\b(?!')"),
        _roman,
    ),
    (re.compile(_EDGE + r"(0?[1-9]|[12]\d|3[01])/(0?[1-9]|[12]\d|3[01])/([12]\d{3})(?![\w/-])"), _slashed_date),
    (re.compile(_EDGE + r"(?<!/)([1-9])/([2-9]|10)(?![\w/])"), _fraction),
    (re.compile(_EDGE + r"([12]\d{3})-(0?[1-9]|1[0-2])-(0?[1-9]|[12]\d|3[01])(?![\w-])"), _iso_date),
    (
        re.compile(_EDGE + r"(\+?\d{1,3}[ -])?(\(\d{3}\) ?|\d{3}[ -])(\d{3})-(\d{4})(?![\w-])"),
        lambda match: ", ".join(digits(group) for group in match.groups() if group),
    ),
    (re.compile(_EDGE + r"(\d{3})-(\d{4})(?![\w-])"), lambda match: f"{digits(match[1])}, {digits(match[2])}"),
    (re.compile(_EDGE + r"([01]?\d|2[0-3]):([0-5]\d)(?: ?([aApP])\.?[mM]\b\.?)?(?![:\d])"), _time),
    (
        re.compile(_EDGE + r"(1[0-2]|[1-9]) ?([aApP])\.?[mM]\b"),
        lambda match: f"{cardinal(int(match[1]))} {match[2].upper()} M",
    ),
    (re.compile(rf"([$€£¥])\s?({_NUMBER})(?:\s?(k|K|m|M|bn|b|B)\b)?"), _money),
    (
        re.compile(rf"\b({_MONTH_NAMES}) (\d{{1,2}})(?:st|nd|rd|th)?(?=\b(?!:))(?:,? ([12]\d{{3}})\b)?"),
        lambda match: f"{match[1]} {ordinal(int(match[2]))}" + (f", {year(int(match[3]))}" if match[3] else ""),
    ),
    (
        re.compile(rf"{_EDGE}({_NUMBER})%?\s?[-–]\s?({_NUMBER})\s?%"),
        lambda match: f"{number(match[1])} to {number(match[2])} percent",
    ),
    (
        re.compile(r"(?<![\w.])(\d{1,4})[-–](\d{1,4})(?![\w-])"),
        lambda match: f"{number(match[1])} to {number(match[2])}",
    ),
    (re.compile(r"(?<![\w.)-])[-−](?=\d)"), lambda _: "minus "),
    (re.compile(rf"{_EDGE}({_NUMBER})\s?%"), lambda match: f"{number(match[1])} percent"),
    (re.compile(r"(?<![\w.])(\d{1,6})(?:st|nd|rd|th)\b"), lambda match: ordinal(int(match[1]))),
    (re.compile(rf"{_EDGE}({_NUMBER})\s?({_UNITS})(?![\w/°])"), _unit),
    (
        re.compile(rf"{_EDGE}({_NUMBER})\s?({'|'.join(_CODES)})\b"),
        lambda match: f"{number(match[1])} {_CODES[match[2]]}",
    ),
    (re.compile(_EDGE + r"([12]\d{2}0)['’]?s\b"), _decade),
    (
        re.compile(r"\b((?i:in|since|from|by|until|till|of|year|before|after|around|circa)) ([12]\d{3})\b(?![,.]?\d)"),
        lambda match: f"{match[1]} {year(int(match[2]))}",
    ),
    (re.compile(rf"(?<!\w)(?<!\w\.)({_NUMBER})(?!\w)"), lambda match: number(match[1])),
)
