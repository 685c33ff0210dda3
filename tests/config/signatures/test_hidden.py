from runner.config.signatures.hidden import shown


def test_what_is_hidden_is_left_out():
    one, other = {"enum": [1]}, {"enum": ["old"], "x-hidden": True}
    assert shown({"description": "It.", "anyOf": [one, other]}) == {"description": "It.", **one}


def test_where_nothing_is_hidden_all_is_shown():
    schema = {"description": "It.", "anyOf": [{"enum": [1]}, {"type": "null"}]}
    assert shown(schema) == schema
    assert shown({"type": "null"}) == {"type": "null"}


def test_a_schema_of_nothing_but_hidden_parts_is_shown():
    schema = {"anyOf": [{"enum": ["a"], "x-hidden": True}]}
    assert shown(schema) == schema
