"""Mind: models of learning and inference, their fit to behaviour, tasks on the circuit, symptoms."""
