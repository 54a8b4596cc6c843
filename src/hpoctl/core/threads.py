"""What says how many threads numerical libraries use."""

BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""Environment variables that BLAS libraries read when numpy is imported."""
