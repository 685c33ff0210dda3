"""What a word that is being typed may go on as, for the shell.

Names come from the standard library alone, so that they are quick; keys need Hydra.
"""

import os
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing, suppress
from typing import Any

from runner.config.words import is_name
from runner.project import LISTED, experiment_files, option_files, option_groups, project_root
from runner.usage import flags_of_verbs

SHELLS = ("bash", "fish", "zsh")
OF_EXPERIMENT = ("run", "show", "validate")
OF_RUN = ("compare", "predict", "reproduce", "resume", "ui")
CHANGED = (*OF_EXPERIMENT, "predict", "reproduce", "resume")  # by overrides
SEVERAL = ("compare", "validate")  # these are about any number
OTHERS = ("--diff", "--from")  # these are followed by another experiment
ALWAYS = ("--help", "--traceback")
LATEST = 20
SHORT = 8

_BASH = """\
_runner_complete() {
    local line=${COMP_LINE:0:COMP_POINT} breaks="" kept="" word words
    read -ra words <<< "$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    word=${words[${#words[@]}-1]}
    [[ $COMP_WORDBREAKS == *=* ]] && breaks+="="
    [[ $COMP_WORDBREAKS == *:* ]] && breaks+=":"
    if [[ $breaks && $word != [\\'\\"]* ]]; then
        kept=${word%"${word##*[$breaks]}"}
    fi
    COMPREPLY=()
    while IFS= read -r word; do
        COMPREPLY+=("${word#"$kept"}")
    done < <("$1" --complete $((${#words[@]} - 1)) "${words[@]}" 2>/dev/null)
    [[ ${COMPREPLY[0]} == *[=.] || ${COMPREPLY[0]} == *\\[* ]] && compopt -o nospace 2>/dev/null
    return 0
}
complete -o default -F _runner_complete runner
"""
_ZSH = """\
_runner_complete() {
    local -a found open
    local said=$("${words[1]}" --complete $((CURRENT - 1)) "${(@Q)words[1,CURRENT]}" 2>/dev/null)
    found=("${(@f)said}")
    found=(${found:#})
    open=(${(M)found:#(*[=.]|*\\[*)})
    found=(${found:|open})
    (( ${#found} + ${#open} )) || { _files; return }
    compadd -S '' -a open
    compadd -a found
}
(( ${+functions[compdef]} )) || { autoload -Uz compinit && compinit }
compdef _runner_complete runner
"""
_FISH = """\
function __runner_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l found ($words[1] --complete (count $words) $words "$current" 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\\n' $found
    else
        __fish_complete_path "$current"
    end
end
complete -c runner -f -a '(__runner_complete)'
"""
SCRIPTS = {"bash": _BASH, "fish": _FISH, "zsh": _ZSH}


def complete(place: int, words: Sequence[str]) -> list[str]:
    """Return what the word at a place of a command may go on as.

    Parameters
    ----------
    place : int
        Of the word that is being typed; there is none of it yet where the words end before.
    words : sequence of str
        The command, from the program's name on.

    Examples
    --------
    >>> complete(1, ["runner", "re"])
    ['register', 'reproduce', 'resume']
    """
    before, word = list(words[1:place]), words[place] if place < len(words) else ""
    word = word.removeprefix("'").removeprefix('"')  # it is closed behind the word
    verbs = flags_of_verbs()
    if not before and "=" not in word:
        found: Iterable[str] = [*verbs, "help", *ALWAYS]
    elif before and before[0] in verbs:
        found = _behind(before[0], before[1:], word, verbs[before[0]])
    elif not _named(before):  # plain Hydra
        found = _overrides("", before, word)
    else:
        found = ()
    return sorted({text for text in found if text.startswith(word) and (word or text[0] != "-")})


def _behind(verb: str, before: Sequence[str], word: str, flags: Sequence[str]) -> Iterable[str]:
    """Return what may stand behind a verb."""
    named = _named(before)
    last, flag = before[-1] if before else "", word.partition("=")[0]
    if last == "--why":
        return [text.rstrip("=.") for text in _keys(_config(named[0], ()), word)] if named else ()
    if last in OTHERS or (flag in OTHERS and flag != word):
        return [f"{flag}={name}" if flag in OTHERS else name for name in experiment_files()]
    if word.startswith("-"):
        return [*flags, *ALWAYS]
    if "=" not in word and (not named or verb in SEVERAL):
        names = _names(verb, word)
        return (
            [*names, *_overrides(named[0], before, word)] if named and verb in CHANGED else names
        )
    experiment = named[0] if named and verb in OF_EXPERIMENT else ""
    return _overrides(experiment, before, word) if verb in CHANGED else ()


def _named(words: Sequence[str]) -> list[str]:
    return [word for word in words if word and is_name(word)]


def _names(verb: str, word: str) -> Iterable[str]:
    """Return what a verb may be about."""
    if verb == "completion":
        return SHELLS
    if verb in OF_EXPERIMENT:
        return experiment_files()
    return _latest_runs(word) if verb in OF_RUN else ()


def _overrides(name: str, before: Sequence[str], word: str) -> list[str]:
    """Return the overrides that a word may become.

    Parameters
    ----------
    name : str
        The experiment, "" if it is not known or an override names it.
    before : sequence of str
        The words before.
    word : str
        The word.
    """
    bare = word.lstrip("+~")
    sign, (key, equals, value) = word[: len(word) - len(bare)], bare.partition("=")
    if not equals:
        found = _keys(_config(name, before), key)
        return [
            sign + text for text in (found if sign != "~" else [t.rstrip("=.") for t in found])
        ]
    values: Iterable[str]
    if key == "experiment":
        values = experiment_files()
    elif key in LISTED:
        head = value[: max(value.rfind("["), value.rfind(",")) + 1] or "["
        values = [head + option for option in option_files(key)]
    elif key in option_groups():
        values = option_files(key)
    else:
        values = _values(_config(name, before), key)
    return [f"{sign}{key}={text}" for text in values]


def _config(name: str, before: Sequence[str]) -> dict[str, Any]:
    """Return an experiment as it is composed with what is typed so far, as far as that works."""
    from omegaconf import OmegaConf

    from runner.config.checking.examination import examined

    chosen = [
        text.removeprefix("experiment=") for text in before if text.startswith("experiment=")
    ]
    given = [text for text in before if "=" in text and not text.startswith(("-", "experiment="))]
    name = name or next(iter(chosen), "")
    for overrides in (given, []) if name else ():
        composed = examined(name, overrides).composed
        if composed is not None:
            plain: Any = OmegaConf.to_container(composed.config, resolve=False)
            return {**plain, "sweep": composed.sweep}
    return {}


def _keys(config: Mapping[str, Any], word: str) -> list[str]:
    """Return the keys at the depth of a word, with a dot where more follows, else ``=``."""
    parent, dot, _ = word.rpartition(".")
    node = _at(config, parent)
    names = {**dict.fromkeys(_parameters(node)), **node}
    if parent == "partial_fit":
        names |= dict.fromkeys(_learns_with(_at(config, "estimator")))
    found = [
        f"{parent}{dot}{name}{'.' if isinstance(value, Mapping) and value else '='}"
        for name, value in names.items()
        if not name.startswith("_")
    ]
    return found if parent else [*found, *(f"{group}=" for group in option_groups())]


def _values(config: Mapping[str, Any], key: str) -> list[str]:
    """Return the words that may be the value of a key."""
    parent, _, name = key.rpartition(".")
    node = _at(config, parent)
    found = _words(_parameters(node).get(name, {}))
    if not found and isinstance(node.get(name), bool):
        return ["false", "true"]
    return found


def _at(config: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    node: Any = config
    for name in key.split(".") if key else ():
        node = node.get(name) if isinstance(node, Mapping) else None
    return node if isinstance(node, Mapping) else {}


def _parameters(node: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    from runner.config.signatures.signature import signature_in

    signature = signature_in(node)
    return signature.parameters if signature else {}


def _learns_with(estimator: Mapping[str, Any]) -> tuple[str, ...]:
    from runner.config.signatures.signature import signature_in

    signature = signature_in(estimator)
    return (signature.partial_fit or ()) if signature else ()


def _words(schema: Mapping[str, Any]) -> list[str]:
    """Return the words that a schema allows.

    Examples
    --------
    >>> _words({"anyOf": [{"enum": ["l2", "l1"]}, {"type": "null"}, {"type": "boolean"}]})
    ['l2', 'l1', 'null', 'false', 'true']
    """
    found = [word for part in schema.get("anyOf", ()) for word in _words(part)]
    given = [*schema.get("enum", ()), *([schema["const"]] if "const" in schema else [])]
    kinds = schema.get("type", ())
    kinds = [kinds] if isinstance(kinds, str) else kinds
    given += [None] * ("null" in kinds) + [False, True] * ("boolean" in kinds)
    return list(dict.fromkeys([*found, *map(_word, given)]))


def _word(value: Any) -> str:
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _latest_runs(word: str) -> list[str]:
    """Return the ids of the latest runs in a database beside the project, the store's default."""
    uri = os.environ.get("MLFLOW_TRACKING_URI", "")
    if uri and not uri.startswith("sqlite:///"):
        return []
    file = project_root() / (uri.removeprefix("sqlite:///") or "mlflow.db")
    asked = (
        "SELECT run_uuid FROM runs WHERE lifecycle_stage = 'active' AND run_uuid LIKE ? "
        "ORDER BY start_time DESC LIMIT ?"
    )
    with suppress(sqlite3.Error):
        opened = sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=0.1)
        with closing(opened) as database:
            rows = database.execute(asked, (f"{word}%", LATEST)).fetchall()
        return [str(row[0])[:SHORT] if len(word) <= SHORT else str(row[0]) for row in rows]
    return []
