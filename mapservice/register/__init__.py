"""The register of solutions: what is behind implementations, who uses it since when, and how it is found."""
