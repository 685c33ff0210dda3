"""Experiment files that mean harm, by what they try; ``texts`` makes them for a project's folder.

In a text MARKER is a file that must not come to be, FOREIGN a folder that must not be read, and
SECRET the name of a variable whose value must not be told.
"""

from itertools import cycle

HEAD = (
    "defaults: [{override /dataset: make_blobs}, {override /estimator: gaussian_nb}]\n"
    "partial_fit: {classes: infer}\n"
)
TOUCH = "touch MARKER"
WRITE = "open('MARKER', 'w').close()"
TARGETS = {  # and their arguments, as they stand behind _target_
    # shells and what starts a process
    "os.system": f"command: {TOUCH}",
    "posix.system": f"command: {TOUCH}",
    "os.popen": f"cmd: {TOUCH}",
    "os.execvp": "_args_: [touch, [touch, MARKER]]",
    "os.posix_spawn": "_args_: [/bin/touch, [touch, MARKER], {}]",
    "os.spawnlp": "_args_: [0, touch, touch, MARKER]",
    "os.fork": "",
    "os.forkpty": "",
    "subprocess.run": "_args_: [[touch, MARKER]]",
    "subprocess.Popen": "_args_: [[touch, MARKER]]",
    "subprocess.getoutput": f"cmd: {TOUCH}",
    "pty.spawn": "_args_: [[touch, MARKER]]",
    "asyncio.create_subprocess_shell": f"cmd: {TOUCH}",
    "multiprocessing.Process": "_args_: [null, os.abort]",
    "webbrowser.open": "url: 'file:///MARKER'",
    "distributed.LocalCluster": "n_workers: 1",
    # what runs a text or a file
    "builtins.eval": f'_args_: ["{WRITE}"]',
    "builtins.exec": f'_args_: ["{WRITE}"]',
    "code.interact": "",
    "timeit.timeit": f'stmt: "{WRITE}"',
    "cProfile.run": f'statement: "{WRITE}"',
    "trace.Trace": "",
    "doctest.testfile": "filename: evil.py",
    "pytest.main": "_args_: [[evil.py]]",
    "numpy.testing.rundocs": "filename: evil.py",
    "pandas.eval": f'expr: "{WRITE}"',
    "pandas.DataFrame.query": f'expr: "{WRITE}"',
    "numexpr.evaluate": 'ex: "1 + 1"',
    "sympy.sympify": f'a: "{WRITE}"',
    "runpy.run_path": "path_name: evil.py",
    "runpy.run_module": "mod_name: evil",
    # what imports, or loads a library
    "importlib.import_module": "name: evil",
    "builtins.__import__": "name: evil",
    "pkgutil.resolve_name": "name: evil",
    "pydoc.importfile": "path: evil.py",
    "distributed.utils.import_file": "path: evil.py",
    "hydra.utils.get_method": "path: os.system",
    "hydra.utils.instantiate": "config: {_target_: os.system, command: touch MARKER}",
    "evil.rows": "",
    "antigravity": "",
    "ctypes.CDLL": "name: ./evil.so",
    "ctypes.cdll.LoadLibrary": "name: ./evil.so",
    "cffi.FFI.dlopen": "name: ./evil.so",
    "numpy.ctypeslib.load_library": "_args_: [evil, .]",
    # what unpickles
    "pickle.load": "file: evil.pkl",
    "pickle.loads": "data: evil",
    "cloudpickle.load": "file: evil.pkl",
    "joblib.load": "filename: evil.pkl",
    "pandas.read_pickle": "filepath_or_buffer: evil.pkl",
    "pandas.io.pickle.read_pickle": "filepath_or_buffer: evil.pkl",
    "numpy.load": "file: evil.pkl, allow_pickle: true",
    "dill.load": "file: evil.pkl",
    "torch.load": "f: evil.pkl",
    "shelve.open": "filename: MARKER",
    "mlflow.sklearn.load_model": "model_uri: ./model",
    "mlflow.pyfunc.load_model": "model_uri: ./model",
    "skops.io.load": "file: evil.pkl, trusted: [posix.system]",
    "sklearn.datasets.fetch_openml": "name: iris",
    "sklearn.datasets.load_files": "container_path: FOREIGN",
    "yaml.unsafe_load": "stream: '!!python/object/apply:os.system [touch MARKER]'",
    # what writes, copies, downloads, or opens a database
    "builtins.open": "file: MARKER, mode: w",
    "io.open": "file: MARKER, mode: w",
    "pathlib.Path.touch": "self: MARKER",
    "os.mkdir": "path: MARKER",
    "os.remove": "path: evil.py",
    "os.environ.update": "LD_PRELOAD: ./evil.so",
    "sys.path.insert": "_args_: [0, FOREIGN]",
    "shutil.copyfile": "src: FOREIGN/private.txt, dst: MARKER",
    "shutil.rmtree": "path: x",
    "numpy.savetxt": "_args_: [MARKER, [1]]",
    "numpy.memmap": "filename: MARKER, mode: w+, shape: [1]",
    "numpy.ndarray.tofile": "_args_: [[1], MARKER]",
    "logging.FileHandler": "filename: MARKER",
    "tempfile.mkdtemp": "dir: .",
    "sqlite3.connect": "database: MARKER",
    "sqlalchemy.create_engine": "url: sqlite:///MARKER",
    "urllib.request.urlopen": "url: 'http://127.0.0.1:9/x'",
    "urllib.request.urlretrieve": "url: 'file://FOREIGN/private.txt', filename: MARKER",
    "requests.get": "url: 'http://127.0.0.1:9/x'",
    "socket.create_connection": "address: [127.0.0.1, 9]",
    "http.server.test": "port: 0",
    # what reads files that are none of its business
    "pathlib.Path.read_text": "self: FOREIGN/private.txt",
    "pandas.read_csv": "filepath_or_buffer: FOREIGN/private.txt",
    "numpy.loadtxt": "fname: FOREIGN/private.txt",
    "numpy.fromfile": "file: FOREIGN/private.txt",
    "linecache.getlines": "filename: FOREIGN/private.txt",
    "glob.glob": "pathname: FOREIGN/*",
    # the same by the names of others, and ours and scikit-learn's own that act
    "sklearn.utils.os.system": f"command: {TOUCH}",
    "sklearn.datasets._base.os.system": f"command: {TOUCH}",
    "sklearn.utils._testing.os.system": f"command: {TOUCH}",
    "sklearn.externals._packaging.version.itertools.chain": "",
    "sklearn.utils.fixes.joblib.load": "filename: evil.pkl",
    "sklearn.externals.joblib.load": "filename: evil.pkl",
    "sklearn.datasets.get_data_home": "data_home: MARKER",
    "sklearn.datasets.clear_data_home": "data_home: x",
    "sklearn.show_versions": "",
    "sklearn.utils.shuffle": "",
    "sklearn.conftest.pytest.main": "",
    "sklearn.utils.parallel.Parallel": "n_jobs: 2",
    "sklearn:__builtins__.eval": f'_args_: ["{WRITE}"]',
    "sklearn.base.BaseEstimator.__init__.__globals__": "",
    "runner.statefile.os.system": f"command: {TOUCH}",
    "runner.names.find": "_args_: [x, os.system]",
    "runner.cli.main": "arguments: [run, quickstart]",
    "runner.config.job.run": "name: quickstart",
    "runner.tracking.spool.Spool": "folder: MARKER",
    "runner.dataset.csv.pd.read_pickle": "filepath_or_buffer: evil.pkl",
    "runner.experiment.Experiment.__init__.__globals__": "",
    "dask.array.from_npy_stack": "dirname: FOREIGN",
    "dask.array.to_npy_stack": "_args_: [MARKER, [1]]",
    "dask.delayed": "_args_: [os.system]",
    "functools.partial": "_args_: [os.system, touch MARKER]",
    "operator.methodcaller": "_args_: [system, touch MARKER]",
}
ONE_VS_REST = "_target_: sklearn.multiclass.OneVsRestClassifier, estimator: "
SGD = "_target_: sklearn.linear_model.SGDClassifier, "
OWN = "_target_: runner.dataset.function.Function, "
FUNCTION = f"{OWN}function: sklearn.datasets.make_blobs, "
PLACES = {  # NODE is what is to be built
    "dataset": "dataset: NODE",
    "argument of a dataset": "dataset: {n_samples: NODE}",
    "argument of a function": f"dataset: {{{FUNCTION}arguments: {{n_samples: NODE}}}}",
    "list of a function": f"dataset: {{{FUNCTION}arguments: {{centers: [[1, NODE]]}}}}",
    "estimator": "estimator: NODE",
    "nested estimator": f"estimator: {{{ONE_VS_REST}NODE}}",
    "argument of a nested one": f"estimator: {{{ONE_VS_REST}{{{SGD}alpha: NODE}}}}",
    "mapping in an argument": f"estimator: {{{SGD}class_weight: {{0: NODE}}}}",
    "stage": "preprocessing: {x: NODE}",
    "argument of a stage": (
        "preprocessing: {x: {_target_: sklearn.preprocessing.Binarizer, threshold: NODE}}"
    ),
    "column transformer": (
        "preprocessing: {x: {_target_: sklearn.compose.ColumnTransformer, "
        "transformers: [[a, NODE, [0]]]}}"
    ),
    "steps": "preprocessing: {x: {_target_: sklearn.pipeline.Pipeline, steps: [[a, NODE]]}}",
    "callback": "callbacks: {x: NODE}",
    "argument of a callback": "callbacks: {checkpoint: {every_s: NODE}}",
    "tracking": "tracking: NODE",
    "tag": "tracking: {tags: {team: NODE}}",
    "stream": "stream: NODE",
    "argument of the stream": "stream: {prefetch: NODE}",
    "fit": "fit: NODE",
    "argument of the fit": "fit: {epochs: NODE}",
    "evaluation": "evaluation: NODE",
    "scorers": "evaluation: {scoring: [accuracy, NODE]}",
    "partial_fit": "partial_fit: NODE",
    "classes": "partial_fit: {classes: NODE}",
    "item of classes": "partial_fit: {classes: [0, NODE]}",
    "name": "name: NODE",
    "seed": "seed: NODE",
    "strict": "strict: NODE",
    "item of strict": "strict: [NODE]",
    "unknown key": "anything: NODE",
    "grid": "sweep: {grid: {estimator: [NODE, gaussian_nb]}}",
    "value of a grid": "sweep: {grid: {estimator.var_smoothing: [1e-9, NODE]}}",
    "zip": "sweep: {zip: {dataset: [NODE], seed: [1]}}",
    "runs": "sweep: {runs: [{estimator: NODE}]}",
    "key of runs": "sweep: {runs: [{callbacks.x: NODE}]}",
    "halving": "sweep: {halving: NODE}",
    "grid itself": "sweep: {grid: NODE}",
    "params": "hydra: {sweeper: {params: {seed: NODE}}}",
    "list of params": "hydra: {sweeper: {params: {estimator: [NODE]}}}",
    "dotted key": "dataset.n_samples: NODE",
}
EVERYWHERE = ("numpy.savetxt", "os.system")

FORMS = {
    "partial": f"estimator: {{_target_: os.system, _partial_: true, command: {TOUCH}}}",
    "positional": "estimator: {_target_: numpy.savetxt, _args_: [MARKER, [1]]}",
    "not recursive": (
        f"estimator: {{{ONE_VS_REST}{{_target_: os.system, command: {TOUCH}}}, "
        "_recursive_: false}"
    ),
    "converted": f"estimator: {{_target_: os.system, _convert_: object, command: {TOUCH}}}",
    "partial stage": (
        "preprocessing: {x: {_target_: sklearn.preprocessing.FunctionTransformer, "
        f"func: {{_target_: os.system, _partial_: true, command: {TOUCH}}}}}}}"
    ),
    "partial of an allowed class": f"estimator: {{{SGD}_partial_: true}}",
    "arguments of an allowed class": f"estimator: {{{SGD}_args_: [MARKER]}}",
    "at the root": f"_target_: os.system\ncommand: {TOUCH}",
    "arguments at the root": "_args_: [MARKER]",
    "partial at the root": "_partial_: true",
    "list as a target": "estimator: {_target_: [os.system]}",
    "mapping as a target": "estimator: {_target_: {_target_: os.system}}",
    "number as a target": "estimator: {_target_: 1}",
    "empty target": "estimator: {_target_: ''}",
    "dots alone": "estimator: {_target_: '...'}",
    "very long target": f"estimator: {{_target_: {'sklearn.' * 2000}x}}",
    "interpolated": f"name: os.system\nestimator: {{_target_: '${{name}}', command: {TOUCH}}}",
    "half interpolated": (
        "name: system\nestimator: {_target_: 'os.${name}', command: touch MARKER}"
    ),
    "decoded": "estimator: ${oc.decode:'{_target_: numpy.savetxt, _args_: [MARKER, [1]]}'}",
    "created": (
        "estimator: ${oc.create:${oc.decode:'{_target_: os.system, command: touch MARKER}'}}"
    ),
    "created in a tag": (
        "tracking: {tags: {a: \"${oc.create:{_target_:os.system,command:'touch MARKER'}}\"}}"
    ),
    "of the environment": (
        "estimator: {_target_: '${oc.env:HOSTILE_TARGET}', command: touch MARKER}"
    ),
    "decoded from the environment": "estimator: {alpha: '${oc.decode:${oc.env:HOSTILE_NODE}}'}",
    "nested resolvers": (
        'estimator: {_target_: \'${oc.decode:${oc.decode:"\\"os.system\\""}}\', command: x}'
    ),
    "selected": (
        "tracking: {tags: {a: os.system}}\n"
        "estimator: {_target_: '${oc.select:tracking.tags.a}', command: touch MARKER}"
    ),
    "values of a mapping": (
        "estimator: {_target_: sklearn.pipeline.Pipeline, steps: "
        "'${oc.dict.values:tracking.tags}'}\n"
        "tracking: {tags: {a: {_target_: os.system, command: touch MARKER}}}"
    ),
    "resolver of ours": "name: '${runner_folder:MARKER}'\nestimator: {_target_: '${name}'}",
    "unknown resolver": "name: '${os.system:touch MARKER}'",
    "Hydra's resolver": "name: '${hydra:runtime.cwd}'\nestimator: {_target_: '${name}'}",
    "merged": (
        "tracking: {tags: &it {_target_: numpy.savetxt, _args_: [MARKER, [1]]}}\n"
        "estimator: {<<: *it}"
    ),
    "anchored": ("estimator: &it {_target_: numpy.savetxt, _args_: [MARKER, [1]]}\ndataset: *it"),
    "escaped": 'estimator: {"\\x5ftarget_": "os\\u002esystem", command: touch MARKER}',
    "colon": "estimator: {_target_: 'os:system', command: touch MARKER}",
    "with blanks": "estimator: {_target_: ' os.system ', command: touch MARKER}",
    "other letters": "estimator: {_target_: '\uff4f\uff53.system', command: touch MARKER}",
    "deep in lists": (
        f"partial_fit: {{classes: [[[[{{_target_: os.system, command: {TOUCH}}}]]]]}}"
    ),
}
FUNCTIONS = {
    **{
        f"dataset of {function}": f"dataset: {{{OWN}"
        f"function: '{function}', arguments: {{{arguments}}}}}"
        for function, arguments in {
            "os:system": f"command: {TOUCH}",
            "os:abort": "",
            "builtins:exec": f'source: "{WRITE}"',
            "builtins.open": "file: MARKER, mode: w",
            "joblib:load": "filename: evil.pkl",
            "numpy:load": "file: evil.pkl, allow_pickle: true",
            "numpy:savetxt": "fname: MARKER, X: [1]",
            "numpy:fromfile": "file: FOREIGN/private.txt",
            "numpy:frompyfunc": "",
            "pandas:read_pickle": "filepath_or_buffer: evil.pkl",
            "sklearn.datasets:load_files": "container_path: FOREIGN",
            "sklearn.datasets:fetch_openml": "name: iris",
            "sklearn.datasets:clear_data_home": "data_home: x",
            "sklearn.datasets:make_blobs.__globals__": "",
            "sklearn.datasets._samples_generator:np.savetxt": "fname: MARKER, X: [1]",
            "dask.array:from_npy_stack": "dirname: FOREIGN",
            "dask.array:from_array": "x: FOREIGN",
            "dask.array:map_blocks": "func: os.system",
            "dask.array.random:os.system": f"command: {TOUCH}",
            "runner.cli:main": "arguments: [run, quickstart]",
            "runner.dataset.function:find": "key: x, dotted: os.system",
            "evil:rows": "",
        }.items()
    },
    **{
        f"stage of {function}": (
            "preprocessing: {x: {_target_: sklearn.preprocessing.FunctionTransformer, "
            f"{argument}: '{function}', kw_args: {{}}}}}}"
        )
        for function, argument in {
            "os.system": "func",
            "builtins.eval": "func",
            "evil.rows": "func",
            "joblib.load": "inverse_func",
            "numpy.save": "func",
            "numpy.vectorize": "func",
        }.items()
    },
}
WRITERS = {
    "memory of a pipeline": (
        "preprocessing: {x: {_target_: sklearn.pipeline.Pipeline, memory: MARKER, "
        "steps: [[a, {_target_: sklearn.preprocessing.Binarizer}]]}}"
    ),
    "memory that is built": (
        "preprocessing: {x: {_target_: sklearn.pipeline.Pipeline, "
        "memory: {_target_: joblib.Memory, location: MARKER}, steps: []}}"
    ),
    "memory by reference": (
        "name: MARKER\npreprocessing: {x: {_target_: sklearn.pipeline.Pipeline, "
        "memory: '${name}', steps: [[a, {_target_: sklearn.preprocessing.Binarizer}]]}}"
    ),
    "memory of a nested one": (
        "preprocessing: {x: {_target_: sklearn.compose.ColumnTransformer, transformers: "
        "[[a, {_target_: sklearn.cluster.FeatureAgglomeration, memory: MARKER}, [0]]]}}"
    ),
    "files that rows name": (
        "preprocessing: {x: {_target_: sklearn.feature_extraction.text.HashingVectorizer, "
        "input: filename}}"
    ),
    "an option's input": (
        "defaults: [{override /dataset: make_blobs}, {override /estimator: hashing_vectorizer}]\n"
        "estimator: {input: file}"
    ),
}
TAGS = {
    "apply": f"seed: !!python/object/apply:os.system ['{TOUCH}']",
    "apply, long": ("seed: !<tag:yaml.org,2002:python/object/apply:os.system> ['touch MARKER']"),
    "apply by a prefix": (
        "%TAG !p! tag:yaml.org,2002:python/\n---\nseed: !p!object/apply:os.system [touch MARKER]"
    ),
    "new": "seed: !!python/object/new:os.system [touch MARKER]",
    "object": "seed: !!python/object:evil.Rows {}",
    "name": "seed: !!python/name:os.system",
    "module": "seed: !!python/module:evil",
    "path": "name: !!python/object/apply:pathlib.PosixPath [MARKER]",
    "pathlib": "name: !!python/object/apply:pathlib._local.PosixPath [MARKER]",
    "tuple": "partial_fit: {classes: !!python/tuple [0, 1]}",
    "bytes": "name: !!python/bytes aGVsbG8=",
    "binary": "name: !!binary aGVsbG8=",
    "set": "partial_fit: {classes: !!set {0, 1}}",
    "ordered": "partial_fit: !!omap [classes: [0, 1]]",
    "of its own": "seed: !evil {a: 1}",
    "included": "estimator: !include FOREIGN/outside.yaml",
    "environment": "name: !ENV ${SECRET}",
    "on a key": "!!python/object/apply:os.system [touch MARKER]: 1",
    "at the root": "!!python/object/apply:os.system [touch MARKER]",
    "int of text": "seed: !!int 'touch MARKER'",
    "timestamp": "name: !!timestamp 2024-01-01",
}


def _nine_by_nine(levels=9):
    lines = [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, levels)]
    return "\n".join(["a0: &a0 [x, x, x, x, x, x, x, x, x]", *lines])


def _merges(levels=30):
    lines = ["a0: &a0 {k: 1}"]
    lines += [f"a{i}: &a{i} {{<<: [*a{i - 1}, *a{i - 1}], k{i}: 1}}" for i in range(1, levels)]
    return "\n".join(lines)


def _doubled(levels=40):
    lines = ["name: ${k0}", "k0: xxxxxxxxxx"]
    lines += [f"k{i}: ${{k{i - 1}}}${{k{i - 1}}}" for i in range(1, levels)]
    return "\n".join([*lines, f"k: ${{k{levels - 1}}}"])


def _folded_tags(levels=30):
    tags = ["t0: xxxxxxxxxx", *(f"t{i}: '${{.t{i - 1}}}${{.t{i - 1}}}'" for i in range(1, levels))]
    return f"tracking: {{tags: {{{', '.join(tags)}}}}}"


BOMBS = {
    "nine aliases of nine": _nine_by_nine,
    "merge keys": _merges,
    "merge keys of one": lambda: (
        "a: &a {"
        + ", ".join(f"k{i}: 1" for i in range(2000))
        + "}\n"
        + "b: {"
        + ", ".join(["<<: *a"] * 99)
        + "}"
    ),
    "brackets": lambda: "seed: " + "[" * 10_000 + "]" * 10_000,
    "braces": lambda: "seed: " + "{a: " * 10_000 + "1" + "}" * 10_000,
    "dashes": lambda: "seed:\n" + "- " * 10_000 + "1",
    "indented": lambda: "\n".join(" " * i + "a:" for i in range(1_000)),
    "indented, a large file": lambda: "\n".join(" " * i + "a:" for i in range(1_400)),
    "open brackets": lambda: "seed: " + "[" * 900_000,
    "of itself": lambda: "seed: &a [*a]",
    "mapping of itself": lambda: "estimator: &a {estimator: *a}",
    "merge of itself": lambda: "estimator: &a {<<: *a}",
    "long text": lambda: "name: " + "x" * 900_000,
    "long text of lines": lambda: "name: '" + "x\n  " * 200_000 + "'",
    "long key": lambda: "? " + "k" * 900_000 + "\n: 1",
    "long name of an anchor": lambda: f"seed: &{'a' * 900_000} 1",
    "long tag": lambda: f"seed: !{'a' * 900_000} 1",
    "many keys": lambda: "\n".join(f"k{i}: 1" for i in range(80_000)),
    "many keys of one name": lambda: "k: 1\n" * 150_000,
    "many tags": lambda: "seed: [" + "!a 1, " * 100_000 + "]",
    "many directives": lambda: "%YAML 1.1\n" * 50_000 + "---\nseed: 1",
    "many documents": lambda: "---\nseed: 1\n" * 50_000,
    "many comments": lambda: "# x\n" * 240_000 + "sede: 1",
    "two megabytes": lambda: "# " + "x" * 2_000_000,
    "two megabytes of text": lambda: "name: " + "x" * 2_000_000,
    "a long number": lambda: "seed: " + "9" * 90_000,
    "a long hexadecimal": lambda: "seed: 0x" + "f" * 90_000,
    "a long binary": lambda: "seed: 0b" + "1" * 90_000,
    "a long sexagesimal": lambda: "seed: 1" + ":59" * 30_000,
    "a long fraction": lambda: "seed: 0." + "1" * 90_000 + "e",
    "a large power": lambda: "seed: 1e999999999",
    "many digits apart": lambda: "seed: 1" + "_0" * 45_000,
    "doubled texts": _doubled,
    "doubled tags": _folded_tags,
    "quadratic references": lambda: "name: " + "${seed}" * 20_000,
    "nested references": lambda: "name: " + "${" * 5_000 + "seed" + "}" * 5_000,
    "open references": lambda: "name: '" + "${" * 40_000 + "'",
    "nested resolvers": lambda: "name: " + "${oc.decode:" * 300 + "1" + "}" * 300,
    "circle": lambda: "name: ${seed}\nseed: ${name}",
    "a reference to all": lambda: "tracking: {tags: {a: '${tracking}'}}",
    "references to all": lambda: (
        "partial_fit: {" + ", ".join(f"a{i}: '${{partial_fit}}'" for i in range(8)) + "}"
    ),
    "decoded brackets": lambda: "seed: ${oc.decode:'" + "[" * 1_900 + "'}",
    "decoded number": lambda: "seed: ${oc.decode:" + "9" * 1_900 + "}",
    "a wide sweep": lambda: (
        "sweep: {grid: {"
        + ", ".join(f"dataset.k{i}: [1, 2, 3, 4, 5, 6, 7, 8, 9]" for i in range(12))
        + "}}"
    ),
    "many values": lambda: f"sweep: {{grid: {{seed: [{', '.join(['x'] * 40_000)}]}}}}",
    "many classes": lambda: f"partial_fit: {{clases: [{', '.join(['1'] * 90_000)}]}}",
    "many defaults": lambda: "defaults: [" + "{override /estimator: x}, " * 20_000 + "]",
    "itself as a default": lambda: "defaults: [evil]",
    "nested lists of a stage": lambda: "preprocessing: {x: " + "[" * 40 + "]" * 40 + "}",
    "control characters": lambda: "name: \x00\x01",
    "an escape for a terminal": lambda: 'name: "\\e]0;x\\a"\nseed: "\\e[2J"',
    "surrogates": lambda: 'name: "\\ud800"\nsede: 1',
    "no UTF-8": lambda: b"name: \xff\xfe\x00",
    "UTF-16": lambda: "seed: !!python/name:os.system".encode("utf-16"),
    "only blanks": lambda: " " * 900_000 + "\tx",
}
HYDRA = {
    "callback": "hydra: {callbacks: {x: {_target_: joblib.load, filename: evil.pkl}}}",
    "callback of ours": "hydra: {callbacks: {x: {_target_: runner.cli.main}}}",
    "dotted": "hydra.callbacks.x: {_target_: os.system}",
    "dotted once": "hydra.run.dir: MARKER",
    "handler": (
        "hydra: {job_logging: {handlers: {f: {class: logging.FileHandler, filename: MARKER}}, "
        "root: {handlers: [f]}}}"
    ),
    "handler of Hydra's": (
        "hydra: {hydra_logging: {handlers: {f: {class: logging.FileHandler, filename: MARKER}}, "
        "root: {handlers: [f]}}}"
    ),
    "factory": "hydra: {job_logging: {handlers: {f: {(): os.system, command: touch MARKER}}}}",
    "formatter": "hydra: {job_logging: {formatters: {f: {(): evil.Rows}}}}",
    "socket handler": (
        "hydra: {job_logging: {handlers: {f: {class: logging.handlers.SocketHandler, "
        "host: 127.0.0.1, port: 9}}}}"
    ),
    "folder": "hydra: {run: {dir: MARKER}}",
    "folder of a sweep": "hydra: {sweep: {dir: MARKER, subdir: x}}",
    "folder of outputs": "hydra: {output_subdir: ../../MARKER}",
    "environment": "hydra: {job: {env_set: {LD_PRELOAD: ./evil.so}}}",
    "copied environment": "hydra: {job: {env_copy: [SECRET]}}",
    "changed folder": "hydra: {job: {chdir: true}}",
    "configured file": "hydra: {job: {config: {override_dirname: {item_sep: /}}}}",
    "search path": "hydra: {searchpath: ['file://FOREIGN']}",
    "package on the search path": "hydra: {searchpath: ['pkg://evil']}",
    "launcher": "hydra: {launcher: {_target_: os.system, command: touch MARKER}}",
    "sweeper": "hydra: {sweeper: {_target_: os.system, command: touch MARKER}}",
    "sweeper's folder": "hydra: {sweeper: {max_batch_size: 1, _partial_: true}}",
    "help": "hydra: {help: {template: '${oc.env:SECRET}'}}",
    "mode": "hydra: {mode: RUN}",
    "verbose": "hydra: {verbose: true}",
    "overrides": "hydra: {overrides: {task: ['+hydra.callbacks.x._target_=os.system']}}",
    "runtime": "hydra: {runtime: {output_dir: MARKER}}",
    "list": "hydra: [1]",
    "by merging": "x: &x {callbacks: {x: {_target_: os.system}}}\nhydra: {<<: *x}",
    "by merging at the root": "x: &x {hydra: {run: {dir: MARKER}}}\n<<: *x",
    "by merging a list": "x: &x {hydra: {run: {dir: MARKER}}}\n<<: [*x, {seed: 1}]",
    "written with escapes": '"\\x68ydra": {run: {dir: MARKER}}',
    "package": "# @package hydra.callbacks\nx: {_target_: numpy.savetxt, _args_: [MARKER, [1]]}",
    "package of Hydra": "# @package hydra\nrun: {dir: MARKER}",
    "package below a comment": "# mine\n# @package hydra\nrun: {dir: MARKER}",
    "package twice": "# @package _global_\n# @package hydra.run\ndir: MARKER",
    "params": "hydra: {sweeper: {params: {hydra.run.dir: MARKER}}}",
    "params of a callback": "hydra: {sweeper: {params: {+hydra.callbacks.x._target_: os.system}}}",
    "params as text": (
        "hydra: {sweeper: {params: {estimator: '{_target_: os.system, command: touch MARKER}'}}}"
    ),
    "params of a group": "hydra: {sweeper: {params: {dataset: ../../outside}}}",
    "params, nested": "hydra: {sweeper: {params: {hydra: {run: {dir: MARKER}}}}}",
    "axis": "sweep: {grid: {hydra.run.dir: [MARKER]}}",
    "axis of a callback": "sweep: {runs: [{+hydra.callbacks.x._target_: os.system}]}",
    "axis of a group": "sweep: {grid: {hydra/launcher: [basic]}}",
    "axis of a package": "sweep: {grid: {dataset@hydra.callbacks: [make_blobs]}}",
}
DEFAULTS = {  # these begin with a list of their own
    "launcher": "[{override /hydra/launcher: basic}]",
    "logging": "[{override hydra/job_logging: default}]",
    "logging at a package": "[/hydra/job_logging@hydra.job_logging: default]",
    "package": "[{/dataset@hydra.callbacks: make_blobs}]",
    "package of the root": "[{/dataset@_global_.hydra.run: make_blobs}]",
    "above": "[{override /dataset: ../../FOREIGN/outside}]",
    "above, at once": "[../outside]",
    "outside": "[{override /estimator: FOREIGN/outside}]",
    "address": "[{override /estimator: 'file://FOREIGN/outside'}]",
    "home": "[{override /estimator: ~/outside}]",
    "above in a list": "[{override /preprocessing: [binarizer, ../../outside]}]",
    "above in the group": "[{'/../foreign': outside}]",
    "above, optional": "[{optional /../foreign: outside}]",
    "by reference": "[{override /estimator: '${oc.env:HOSTILE_OPTION}'}]",
    "group by reference": "[{'/${oc.env:HOSTILE_OPTION}': outside}]",
    "config": "[/config]",
    "experiment": "[{/experiment: quickstart}]",
    "experiment above": "[/experiment/../../outside]",
    "mapping": "{override /dataset: ../../outside}",
    "text": "../../outside",
    "nested": "[[{override /hydra/launcher: basic}]]",
    "two in one": "[{override /dataset: make_blobs, override /hydra/launcher: basic}]",
    "built": "[{_target_: os.system}]",
}
SECRETS = {  # wrong, so that something is told of them
    "seed": "seed: '${oc.env:SECRET}'",
    "number": "fit: {epochs: '${oc.env:SECRET}'}",
    "target": "estimator: {_target_: '${oc.env:SECRET}'}",
    "part of a target": "estimator: {_target_: 'sklearn.${oc.env:SECRET}'}",
    "function": f"dataset: {{{OWN}function: '${{oc.env:SECRET}}'}}",
    "scorer": "evaluation: {scoring: ['${oc.env:SECRET}']}",
    "penalty": f"estimator: {{{SGD}penalty: '${{oc.env:SECRET}}'}}",
    "name and a mistake": "name: '${oc.env:SECRET}'\nsede: 1",
    "tag and a mistake": "tracking: {tags: {a: '${oc.env:SECRET}'}, experimnt: 1}",
    "list": "partial_fit: {classes: [0, '${oc.env:SECRET}'], x: 1}",
    "decoded": "seed: '${oc.decode:${oc.env:SECRET}}'",
    "as a resolver's argument": "seed: '${oc.select:${oc.env:SECRET}}'",
    "as a reference": "seed: '${${oc.env:SECRET}}'",
    "as a resolver": "seed: '${${oc.env:SECRET}:x}'",
    "section": "stream: '${oc.env:SECRET}'",
    "option": "defaults: [{override /dataset: '${oc.env:SECRET}'}]",
    "path": "dataset: {_target_: runner.dataset.csv.Csv, path: '${oc.env:SECRET}', target: 1}",
}


def _at(target, place):
    arguments = TARGETS[target]
    node = f"{{_target_: '{target}'{', ' * bool(arguments)}{arguments}}}"
    return PLACES[place].replace("NODE", node)


def _targets():
    return {
        f"{target} as {place}": _at(target, place)
        for target, place in zip(TARGETS, cycle(PLACES), strict=False)
    }


def _places():
    return {
        f"{place} of {target}": _at(target, place) for target in EVERYWHERE for place in PLACES
    }


def texts():
    """Return the text of each file, or what makes it, by class and name."""
    whole = {
        "target": _targets(),
        "place": _places(),
        "form": FORMS,
        "function": FUNCTIONS,
        "writer": WRITERS,
        "tag": TAGS,
        "hydra": HYDRA,
        "secret": SECRETS,
    }
    found = {
        f"{kind}: {name}": text if "efaults:" in text else _below_head(text)
        for kind, named in whole.items()
        for name, text in named.items()
    }
    found |= {f"default: {name}": f"defaults: {text}\n" for name, text in DEFAULTS.items()}
    return found | {f"bomb: {name}": make for name, make in BOMBS.items()}


def _below_head(text):
    keys = {line.partition(":")[0] for line in text.splitlines()}
    kept = [line for line in HEAD.splitlines() if line.partition(":")[0] not in keys]
    is_first = text.startswith(("#", "%", "!!"))
    return "\n".join([text, *kept] if is_first else [*kept, text]) + "\n"
