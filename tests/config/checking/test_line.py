"""A command line asks nothing of Hydra that acts before it is checked."""

import pytest
from hydra._internal.utils import get_args_parser

from runner.config.checking.line import line_problems
from runner.project import project_root

FLAGS = [
    "--experimental-rerun=x",
    "--experimental-r x",
    "--exp",
    "--config-dir=/tmp",
    "--config-d",
    "-cd",
    "-cd=/tmp",
    "-cdX",
    "-cnfoo",
    "-cp",
    "--config",
    "--config-n=x",
    "--multrun",
    "--cfgs",
    "-cjob",
    "-mc",
    "--",
    "-",
    "--info=bad",
    "--cfg=nope",
    "--cfg",
    "-x",
    "--package",
]

OVERRIDES = [
    "hydra.callbacks.x._target_=os.system",
    "+hydra.callbacks.x={_target_: a.b}",
    "++hydra.job.env_set.A=b",
    "hydra.job.env_copy=[A]",
    "hydra.job.chdir=true",
    "hydra.run.dir=/x",
    "hydra.sweep.dir=x",
    "hydra.output_subdir=x",
    "hydra/job_logging=default",
    "hydra.job_logging.handlers.f.filename=x",
    "hydra/hydra_logging=default",
    "+hydra/callbacks=x",
    "hydra.help.template=x",
    "hydra.runtime.cwd=/",
    "hydra.searchpath=[file:///etc]",
    "+hydra.searchpath=[pkg://x]",
    "hydra.searchpath=[..]",
    "hydra={callbacks: {}}",
    "++hydra={a: b}",
    "hydra.launcher={_target_: os.system}",
    "+hydra.launcher._target_=x",
    "hydra.launcher.a._target_=x",
    "hydra.launcher={a: {\\_target_: x}}",
    "hydra/launcher=../../x",
    "hydra/launcher@hydra.callbacks=basic",
    "hydra/launcher=file:///x",
    "~hydra.launcher",
    "~hydra/launcher",
    "dataset=../../x",
    "dataset='../x'",
    "dataset=[a,../x]",
    "experiment=/abs",
    "dataset=file:///x",
    "dataset=iris,../x",
    "dataset=\\../x",
    "dataset@hydra.job=iris",
    "+dataset@_global_.hydra=iris",
    "@hydra=x",
    "={hydra: {}}",
    "+={hydra: x}",
    "hydra.launcher=${x}",
    "hydra.launcher.a=${bar}",
    "hydra.sweeper.params.hydra.job=1",
    "+hydra.sweeper.params={hydra.job.x: 1}",
    "hydra.job.name=../x",
    "hydra.verbose=${x}",
    "hydra.job.config.a=1",
    "hydra.launcher.x='{_target_: x}'",
    "hydra.launcher=choice({_target_: x},b)",
    "dataset=${oc.env:X}",
]

FINE = [
    "-m",
    "--multirun",
    "--run",
    "-r",
    "--cfg",
    "job",
    "-c",
    "all",
    "--cfg=hydra",
    "--resolve",
    "--package",
    "a.b",
    "-p",
    "x",
    "--info",
    "-i",
    "searchpath",
    "--hydra-help",
    "--version",
    "-sc",
    "install=bash",
    "seed=1,2",
    "dataset=iris",
    "dataset.path=../x.csv",
    "dataset.path=/a/b,/c",
    "+a.b=1",
    "~callbacks.x",
    "~fit.x=1",
    "hydra/launcher=basic",
    "hydra/launcher=joblib",
    "hydra.launcher.n_jobs=2",
    "++hydra.launcher.n_jobs=2",
    "hydra.sweeper.max_batch_size=3",
    "hydra.verbose=true",
    "hydra.verbose=[a,b]",
    "hydra.job.name=x",
    "hydra.mode=RUN",
    "hydra.searchpath=[file://conf]",
    "hydra.searchpath=[experiments]",
    "hydra.sweeper.params.seed='1,2'",
    "callbacks=[a,b]",
    "name=a/../b",
    "estimator={a: 1}",
    "hydra.launcher={a: 1}",
    "hydra.launcher.x=${oc.env:A}",
    "dataset.arguments={password: x}",
    "callbacks=[]",
    "sweep=null",
    "experiment=a,b",
    "seed=range(1,3)",
    "dataset=null",
    "evaluation.scoring=[r2]",
]


@pytest.mark.parametrize("text", [*FLAGS, *OVERRIDES])
def test_what_reaches_beyond_the_experiment_is_refused(text):
    (problem,) = line_problems([text])
    assert problem.place == f"command line ({text})"
    assert problem.remedy or "followed by" in problem.said


def test_what_is_usual_is_no_problem():
    assert line_problems(FINE) == []


def test_every_flag_of_hydra_is_known_or_refused():
    for action in get_args_parser()._actions:
        for flag in action.option_strings:
            values = [str(action.choices[0])] if action.choices and action.nargs != "?" else []
            values = ["x"] if flag in ("-p", "--package") else values
            refused = any(word in action.dest for word in ("config_", "rerun"))
            assert bool(line_problems([flag, *values])) is refused, flag


def test_every_abbreviation_of_a_refused_flag_is_refused():
    for flag in ("--config-dir", "--config-path", "--config-name", "--experimental-rerun"):
        for length in range(3, len(flag) + 1):
            assert line_problems([f"{flag[:length]}=x"]), flag[:length]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("--multrun", "is no flag of the runner\n    did you mean '--multirun'?"),
        ("--multi", "is no flag of the runner\n    did you mean '--multirun'?"),
        ("-cjob", "is no flag of the runner\n    did you mean '-c job'?"),
        ("--cfg=jobs", "must be followed by job or hydra or all; got jobs"),
        ("-cd", "must not be used: it reads options of any folder"),
        ("--exp=x", "must not be used: it reads a pickle, which can run any code"),
        ("dataset=../x", "must name an option of its group; got ../x"),
        ("hydra.job.env_set.A=b", "must not be set on the command line\n    set variables in the"),
    ],
)
def test_a_problem_says_what_to_do(text, said):
    assert said in str(line_problems([text])[0])


def test_a_folder_inside_the_project_may_be_searched(project):
    inside = f"hydra.searchpath=[file://{project_root()}/more]"
    (project / "link").symlink_to("/")
    assert line_problems([inside]) == []
    assert line_problems([f"hydra.searchpath=[file://{project_root()}/link/etc]"])
    assert line_problems([f"hydra.searchpath=[file://{project_root()}-other]"])


def test_a_secret_is_not_told():
    for text in ("--config-dir=https://ann:hunter@x", "hydra.job.env_set.API_KEY=hunter"):
        assert "hunter" not in str(line_problems([text])[0])
