"""`Record`, the base of every class of the schema, and the types of its fields."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Text = Annotated[str, Field(max_length=2000)]
Name = Annotated[str, Field(max_length=300)]
Count = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0)]
Scalar = bool | int | float | str | None
Setting = Scalar | list[Scalar]
# An optional field that was added to a published schema version: where it is 0, None or empty it is
# not written, so that the canonical bytes of older records stay.
Added = Field(exclude_if=lambda value: not value)
Method = Literal["counter", "integrated", "modelled"]


class Record(BaseModel):
    """A part of a record: immutable, without unknown fields, with finite numbers only."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        json_schema_serialization_defaults_required=True,
    )
