"""Whether a sidecar's value has the shape that its key allows, at every depth."""

from __future__ import annotations

from typing import Any

from bidsanon.bids.identifying import kind_of_key
from bidsanon.bids.standard import Schema

MISFIT = object()
"""What :func:`fit` returns for a value that has none of the allowed shapes."""


def fit(value: Any, shape: Schema) -> Any:
    """Return what of a value has a shape, or :data:`MISFIT`.

    Only the shape counts: whether it is a number, a text, a list of them, an object with certain
    keys. Whether a number is large enough is for validation to say.
    """
    if "anyOf" in shape:
        fitted = (fit(value, alternative) for alternative in shape["anyOf"])
        return next((result for result in fitted if result is not MISFIT), MISFIT)
    if isinstance(value, dict):
        return _fit_object(value, shape)
    if isinstance(value, list):
        return _fit_list(value, shape)
    return value if _is_scalar(value, shape.get("type")) else MISFIT


def _fit_object(value: dict[str, Any], shape: Schema) -> Any:
    if shape.get("type") != "object":
        return MISFIT
    others = shape.get("additionalProperties")
    if others is None and "properties" not in shape:
        return _without_identifying_keys(value)
    kept: dict[str, Any] = {}
    for key, part in value.items():
        part_shape = shape.get("properties", {}).get(key, others)
        fitted = fit(part, part_shape) if isinstance(part_shape, dict) else MISFIT
        if fitted is not MISFIT:
            kept[key] = fitted
    return kept or MISFIT


def _without_identifying_keys(value: Any) -> Any:
    """Return what stays of a value of which the standard says nothing: the settings of a filter."""
    if isinstance(value, dict):
        return {
            key: _without_identifying_keys(part)
            for key, part in value.items()
            if kind_of_key(key) is None
        }
    return [_without_identifying_keys(part) for part in value] if isinstance(value, list) else value


def _fit_list(value: list[Any], shape: Schema) -> Any:
    if shape.get("type") != "array":
        return MISFIT
    fitted = [fit(item, shape["items"]) for item in value]
    return MISFIT if any(item is MISFIT for item in fitted) else fitted


def _is_scalar(value: Any, kind: str | None) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if isinstance(value, int | float):
        return kind in {"number", "integer"}
    return isinstance(value, str) and kind == "string"
