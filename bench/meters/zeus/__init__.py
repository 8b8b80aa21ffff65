"""The meter of AMD GPUs, Apple silicon and Jetson, through the package zeus."""

from bench.meters.zeus.meter import ZeusMeter

build = ZeusMeter
