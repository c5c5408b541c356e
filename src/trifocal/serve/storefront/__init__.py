"""The storefront: what stands on each page, who looks at it, and what a form sends. Jinja templates draw it."""
