"""Why items are answered: what explains them, in a pool of its own, loaded when it is first asked for."""
