"""The lcbench benchmarks for hpoctl: YAHPO Gym's surrogate, evaluated from a model file that the user has."""
