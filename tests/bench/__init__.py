"""The bench: `python -m tests.bench` (`make bench`) measures this system against reference servers in the same run."""
