"""The version of the package, where the build and the reports read it."""

VERSION = "0.1.0"
