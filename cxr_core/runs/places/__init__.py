"""Where a run works: this machine, or an engine that gives out the machines of many."""
