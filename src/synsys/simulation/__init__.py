"""Simulation in time: one drift function, traced and compiled to vector code, batch lane innermost."""
