"""Put the project's own config groups and experiments on Hydra's search path."""

from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.search_path_plugin import SearchPathPlugin

from runner.project import builtin, overlay


class ProjectSearchPath(SearchPathPlugin):
    """The project's ``conf`` before ours, and both folders of experiments; for our app only."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Add the folders, unless another Hydra application is running."""
        shipped = str(builtin("conf"))
        paths = [
            entry.path.removeprefix("file://")
            for entry in search_path.get_path()
            if entry.provider == "main"
        ]
        if paths != [shipped]:
            return
        for folder in reversed(overlay("conf")[:-1]):
            search_path.prepend(provider="project", path=f"options://{folder}", anchor="main")
        for folder in overlay("experiments"):
            search_path.append(provider="experiments", path=f"experiments://{folder}")
