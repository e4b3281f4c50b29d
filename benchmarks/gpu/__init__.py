"""Batch norm on a GPU: our kernels against torch's own, cuDNN and torch.compile.

Run ``python -m benchmarks.gpu`` (`make bench-gpu`). Without a GPU it says "not run: no GPU", ends
with code 3 and writes nothing: what was not measured never looks measured.
"""
