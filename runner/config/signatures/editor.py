"""The JSON Schema of an experiment's file, by which editors complete and check it."""

import json
from collections.abc import Mapping
from typing import Any

from runner.config.reading.shipped import SELF, chosen_always
from runner.config.signatures.definitions import BUILT, OPEN, Definitions, value_schema
from runner.config.signatures.signature import EXPERIMENT, HALVING, TARGET, signature_of
from runner.project import LISTED, experiment_files, option_files, option_groups

DRAFT = "https://json-schema.org/draft/2020-12/schema"
SINGLE = ("dataset", "stream", "estimator", "fit", "evaluation", "tracking", "cluster")
VALUE: dict[str, Any] = {}
CLASSES = {"anyOf": [{"type": "array"}, {"const": "infer"}, OPEN]}

Schema = dict[str, Any]


def schema_text() -> str:
    """Return the schema as the text of a file, the same for the same options."""
    return json.dumps(experiment_schema(), indent=2, sort_keys=True, allow_nan=False) + "\n"


def experiment_schema() -> Schema:
    """Return the JSON Schema, draft 2020-12, of an experiment's file in this project.

    What a section may hold follows from the option that is chosen for it under ``defaults``, or
    from the ``_target_`` written in it. Any value may be an interpolation, and none must be given.
    """
    definitions = Definitions()
    experiment = signature_of(TARGET, EXPERIMENT)
    cases = [case for group in SINGLE for case in _cases(group, definitions)]
    properties = {
        "name": value_schema({"anyOf": [experiment.parameters["name"], {"type": "null"}]}),
        **{name: value_schema(experiment.parameters[name]) for name in ("seed", "strict")},
        **{group: BUILT | {} for group in SINGLE},
        **{group: _named(group, definitions) for group in LISTED},
        "partial_fit": {"type": "object", "properties": {"classes": CLASSES}},
        "defaults": _defaults(),
        "sweep": _sweep([*experiment.parameters]),
        "hydra": _only(sweeper=_only(params={"type": ["object", "null"]})),
    }
    for name, schema in properties.items():
        described = experiment.parameters.get(name, {}).get("description")
        properties[name] = schema | ({"description": described} if described else {})
    return {
        "$schema": DRAFT,
        "title": "An experiment",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "allOf": cases,
        "$defs": definitions.finished(),
    }


def _cases(group: str, definitions: Definitions) -> list[Schema]:
    """Return what a section may hold, for each option that can be chosen for it."""
    cases = []
    always = chosen_always().get(group)
    for name, path in option_files(group).items():
        conditions = [_chosen(group, name), *([_not_chosen(group)] if name == always else [])]
        condition = {"anyOf": conditions} if len(conditions) > 1 else conditions[0]
        schema = definitions.option(group, path)
        cases.append({"if": condition, "then": {"properties": {group: schema}}})
        if group == "estimator":
            cases += _arguments(condition, definitions.target_of(path), definitions)
    return cases


def _arguments(condition: Schema, dotted: str, definitions: Definitions) -> list[Schema]:
    """Return what ``partial_fit`` may hold, for an option of the estimator."""
    signature = definitions.signature(dotted)
    if signature is None or signature.partial_fit is None or signature.partial_fit_is_open:
        return []
    another = {"properties": {"estimator": {"required": [TARGET]}}, "required": ["estimator"]}
    taken = {name: CLASSES if name == "classes" else VALUE for name in signature.partial_fit}
    return [
        {
            "if": {"allOf": [condition, {"not": another}]},
            "then": {"properties": {"partial_fit": _only(**taken)}},
        }
    ]


def _named(group: str, definitions: Definitions) -> Schema:
    """Return the schema of a section of several options: of others the target must be written."""
    known: dict[str, Schema] = {}
    for path in option_files(group).values():
        known |= definitions.options(group, path)
    others = BUILT | {"required": [TARGET]}
    return {"type": "object", "properties": known, "additionalProperties": others}


def _chosen(group: str, name: str) -> Schema:
    key = f"override /{group}"
    item = {"type": "object", "properties": {key: {"const": name}}, "required": [key]}
    return {"properties": {"defaults": {"contains": item}}, "required": ["defaults"]}


def _not_chosen(group: str) -> Schema:
    """Hold where neither the file nor an experiment that it starts from chooses an option."""
    other = {"type": "string", "not": {"const": SELF}}
    choice = {"anyOf": [{"type": "object", "required": [f"override /{group}"]}, other]}
    return {"not": {"properties": {"defaults": {"contains": choice}}, "required": ["defaults"]}}


def _defaults() -> Schema:
    choices: Schema = {}
    for group in (*SINGLE, *LISTED):
        one = {"enum": [*option_files(group)]}
        several = {"type": "array", "items": one}
        choices[f"override /{group}"] = {"anyOf": [one, *[several] * (group in LISTED), OPEN]}
    for group in {*option_groups()} - {*SINGLE, *LISTED}:  # the project's own
        one = {"enum": [*option_files(group)]}
        choices[f"/{group}"] = {"anyOf": [one, {"type": "array", "items": one}, OPEN]}
    item = _only(**choices) | {"minProperties": 1, "maxProperties": 1}
    return {
        "type": "array",
        "items": {"anyOf": [item, {"enum": [SELF, *experiment_files()]}]},
        "description": "Which option of each group, such as {override /estimator: perceptron}.",
    }


def _sweep(nouns: list[str]) -> Schema:
    """Return the schema of the section ``sweep``, whose keys name settings."""
    names = {"pattern": rf"^\+{{0,2}}(?:{'|'.join(nouns)})(?:[./@].*)?$"}
    list_or_section = {"anyOf": [{"type": "array", "minItems": 1}, {"type": "object"}]}
    axes = {"type": ["object", "null"], "propertyNames": names}
    axes |= {"additionalProperties": list_or_section}
    run = {"type": "object", "propertyNames": names}
    halving = signature_of(TARGET, HALVING)
    keys = {name: value_schema(schema) for name, schema in halving.parameters.items()}
    schema = _only(
        grid=axes | {"description": "Lists of values by key: every combination."},
        zip=axes | {"description": "Lists of one length: the first together, the second, ..."},
        runs={
            "type": ["array", "null"],
            "items": run,
            "description": "Values by key, each one run.",
        },
        halving={
            "anyOf": [_only(**keys), {"type": "null"}],
            "description": "Stop on the way what learns worst.",
        },
    )
    return schema | {"type": ["object", "null"], "description": "Many runs in one."}


def _only(**properties: Mapping[str, Any]) -> Schema:
    return {"type": "object", "properties": properties, "additionalProperties": False}
