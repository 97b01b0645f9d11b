"""The genome level: variants, polygenic scores, gene sets, expression and methylation tables."""
