"""nbgrader's configuration: the course root is this folder."""

from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearHiddenTests,
    ClearMarkScheme,
    ClearOutput,
    ComputeChecksums,
    IncludeHeaderFooter,
    InstantiateTests,
    LockCells,
    SaveCells,
)

from autograder.build.release import HandOut
from autograder.environment import put_programs_on_path
from autograder.plugin import plug_in

put_programs_on_path()  # formgrader calls nbgrader's programs by name

c = get_config()  # type: ignore[name-defined]  # noqa: F821

c.CourseDirectory.course_id = "batchnorm"
c.CourseDirectory.ignore = [
    ".ipynb_checkpoints",
    "*.pyc",
    "__pycache__",
    ".DS_Store",
    "*.new",
]

# nbgrader's own list with HandOut for ClearSolutions: some exercises hand out code to repair
c.GenerateAssignment.preprocessors = [
    IncludeHeaderFooter,
    InstantiateTests,
    LockCells,
    HandOut,
    ClearOutput,
    CheckCellMetadata,
    ComputeChecksums,
    SaveCells,
    ClearHiddenTests,
    ClearMarkScheme,
    ComputeChecksums,
    CheckCellMetadata,
]

plug_in(c)  # `nbgrader autograde` and formgrader's button run our judge, in its sandbox
