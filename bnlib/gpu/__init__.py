"""Work on a GPU, and measure there: devices, times, bytes, half precision, several cards.

Everything runs on a CPU, too; what only a card can say is said to be not measured. `import bnlib`
does not load this package: it needs torch.
"""

from bnlib.gpu.background import Background
from bnlib.gpu.bandwidth import Measurement, batchnorm_measurements, copy_bandwidth
from bnlib.gpu.devices import pick_device, to_device
from bnlib.gpu.mixed import batchnorm_mixed
from bnlib.gpu.sync import merge_stats, sync_batchnorm_backward, sync_batchnorm_forward
from bnlib.gpu.timing import peak_memory, time_op
from bnlib.traffic import achieved_bandwidth, bytes_moved

__all__ = [
    "Background",
    "Measurement",
    "achieved_bandwidth",
    "batchnorm_measurements",
    "batchnorm_mixed",
    "bytes_moved",
    "copy_bandwidth",
    "merge_stats",
    "peak_memory",
    "pick_device",
    "sync_batchnorm_backward",
    "sync_batchnorm_forward",
    "time_op",
    "to_device",
]
