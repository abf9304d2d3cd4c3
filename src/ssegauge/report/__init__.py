"""Reports: pure functions of a results document."""
