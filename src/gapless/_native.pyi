"""The native core. See native/ for the sources."""
