"""Another cluster than that of the file: what the file says of its own is left out."""

from collections.abc import Sequence

from omegaconf import DictConfig, open_dict

from runner.allow import resolve
from runner.errors import ConfigError
from runner.rules import rules_of

NOUN, TARGET = "cluster", "_target_"


def moved(config: DictConfig, overrides: Sequence[str]) -> DictConfig:
    """Leave out the keys of the section ``cluster`` that the cluster which was chosen has not.

    Where the work is done is chosen on the command line for a file as it is: what that says of
    its own cluster, such as ``n_workers``, means nothing for another. A key that is typed stays,
    and is refused later if nothing takes it.

    Parameters
    ----------
    config : DictConfig
        Composed; changed in place.
    overrides : sequence of str
        Of the command line.

    Examples
    --------
    >>> from omegaconf import OmegaConf
    >>> section = {"_target_": "runner.cluster.none.NoCluster", "n_workers": 2}
    >>> moved(OmegaConf.create({"cluster": section}), ["cluster=none"])
    {'cluster': {'_target_': 'runner.cluster.none.NoCluster'}}
    >>> typed = ["cluster=none", "cluster.n_workers=2"]
    >>> moved(OmegaConf.create({"cluster": section}), typed) == {"cluster": section}
    True
    """
    bare = [text.lstrip("+") for text in overrides]
    is_chosen = any(text.startswith(f"{NOUN}=") for text in bare)
    section = config.get(NOUN) if is_chosen else None
    if not isinstance(section, DictConfig):
        return config
    try:
        known = rules_of(resolve(f"{NOUN}.{TARGET}", str(section.get(TARGET))))
    except ConfigError:  # which is told where the section is judged
        return config
    with open_dict(section):
        for key in [str(each) for each in section]:
            typed = any(text.startswith((f"{NOUN}.{key}=", f"{NOUN}.{key}.")) for text in bare)
            if key != TARGET and key not in known and not typed:
                del section[key]
    return config
