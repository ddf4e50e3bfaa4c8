"""What SECA's open conformance suite asks of the Region, Authorization and Workspace providers,
asked by our own tests on every run, in both error profiles."""
