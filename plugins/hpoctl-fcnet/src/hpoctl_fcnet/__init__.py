"""The four fcnet benchmarks of hpoctl: tabulated two-layer networks on UCI regression sets."""
