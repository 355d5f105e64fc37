# SPDX-License-Identifier: ISC
"""What ./demo and tests/e2e share: an installation of Retoken in a folder of its own, real web
servers in front of it, and clients of every dialect. Standard library only."""
