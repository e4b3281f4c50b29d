"""Exercises of u11_gpu: devices, times, bytes, half precision and several cards, on any machine."""

from autograder.exercises.u11_gpu.back import SYNC_BACKWARD
from autograder.exercises.u11_gpu.memory import PEAK
from autograder.exercises.u11_gpu.merging import MERGE
from autograder.exercises.u11_gpu.mixed import MIXED
from autograder.exercises.u11_gpu.moving import MOVE
from autograder.exercises.u11_gpu.picking import PICK
from autograder.exercises.u11_gpu.times import TIME
from autograder.exercises.u11_gpu.together import SYNC
from autograder.exercises.u11_gpu.traffic import BANDWIDTH, BYTES

EXERCISES = (PICK, MOVE, TIME, BYTES, BANDWIDTH, PEAK, MIXED, MERGE, SYNC, SYNC_BACKWARD)
