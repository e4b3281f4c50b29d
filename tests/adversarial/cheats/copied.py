"""Known and out of reach: the reference copied, or fetched where nobody can watch.

`bnlib` is published under the names of the exercises, and the worker shares its process with the
student. Its files are hidden while a submission runs; but who types its text in, or takes the watch
off on purpose, is not stopped by a grader. What each of these gets is written down here, so that
nobody believes otherwise.
"""

from __future__ import annotations

from tests.adversarial.cheats.answers import TAIL, _ready

NAME = "''.join(map(chr, (98, 110, 108, 105, 98)))"  # a word that no reading of the source finds

CASES = (
    _ready(
        "copied-by-hand",
        "the reference's text, typed in",
        TAIL + "    x64 = x.astype(float)\n    m, v = x64.mean(axis=0), x64.var(axis=0)\n"
        "    return (gamma * (x64 - m) / np.sqrt(v + eps) + beta).astype(x.dtype), None",
        gets="full passed",
    ),
    _ready(
        "copied-subprocess-plain",
        "the reference in another process, by its name",
        "import subprocess, sys\n" + TAIL + "    np.savez('in.npz', x=x, g=gamma, b=beta, e=eps)\n"
        "    subprocess.run([sys.executable, '-c', 'import sys; sys.path.append(\"/course\"); '\n"
        "        'import numpy as n, bnlib; d = n.load(\"in.npz\"); '\n"
        '        \'n.save("y.npy", bnlib.batchnorm_forward(d["x"], d["g"], d["b"], \'\n'
        "        'float(d[\"e\"]))[0])'], check=True)\n"
        "    return np.load('y.npy'), None",
    ),
    _ready(
        "copied-subprocess-hidden",
        "the reference in another process, its name put together there",
        "import subprocess, sys\n" + TAIL + "    np.savez('in.npz', x=x, g=gamma, b=beta, e=eps)\n"
        f"    name = {NAME}\n"
        "    subprocess.run([sys.executable, '-c', 'import sys; sys.path.append(\"/course\"); '\n"
        "        f'import numpy as n, {name} as m; d = n.load(\"in.npz\"); '\n"
        '        \'n.save("y.npy", m.batchnorm_forward(d["x"], d["g"], d["b"], \'\n'
        "        'float(d[\"e\"]))[0])'], check=True)\n"
        "    return np.load('y.npy'), None",
        gets="nothing error",
    ),
    _ready(
        "copied-watch-removed",
        "takes the watch off the worker, and calls the reference by a hidden name",
        f"import importlib\nm = importlib.import_module({NAME})\n"
        + TAIL
        + "    return getattr(m, 'batchnorm_forward')(x, gamma, beta, eps)",
        gets="full passed",
        first="""
import contextlib, gc
for thing in gc.get_objects():
    if type(thing).__name__ == "Session":
        thing._watch = lambda *a, **k: contextlib.nullcontext([])
""",
    ),
    _ready(
        "copied-hidden-name",
        "the reference by a hidden name, the watch in place",
        f"import importlib\nm = importlib.import_module({NAME})\n"
        + TAIL
        + "    return getattr(m, 'batchnorm_forward')(x, gamma, beta, eps)",
    ),
    _ready(
        "copied-source-read",
        "runs the text of the reference's file",
        f"import importlib, inspect\nm = importlib.import_module({NAME})\n"
        "space = dict(vars(m.batchnorm_forward) and {} or m.batchnorm_forward.__globals__)\n"
        "exec(inspect.getsource(m.batchnorm_forward), space)\n"
        "f = space['batchnorm_forward']\n" + TAIL + "    return f(x, gamma, beta, eps)",
        gets="nothing error",
    ),
    _ready(
        "copied-fork-hidden",
        "the reference in a forked child, by a hidden name",
        "import importlib, os, pickle\n" + TAIL + "    r, w = os.pipe()\n    if os.fork() == 0:\n"
        "        try:\n"
        f"            m = importlib.import_module({NAME})\n"
        "            os.write(w, pickle.dumps(m.batchnorm_forward(x, gamma, beta, eps)[0]))\n"
        "        finally:\n            os._exit(0)\n    os.close(w)\n    os.wait()\n"
        "    return pickle.loads(os.read(r, 10**6)), None",
        gets="nothing error",
    ),
)
