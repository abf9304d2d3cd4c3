"""Language model APIs, simulated: the shapes in which OpenAI and Anthropic stream, with text drawn from a seed."""
