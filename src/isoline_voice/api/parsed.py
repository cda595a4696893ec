"""Bodies of requests: fields that say themselves, all at once, what is wrong with them."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ValidationError

from isoline_voice.api.errors import ApiError, validation_faults


class ParsedFields(BaseModel):
    """The base of every body."""

    @classmethod
    def parse(cls, data: object) -> Self:
        """The fields from decoded JSON or a form; raises ApiError with every field that is wrong."""
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            raise ApiError(400, *validation_faults(error)) from error
