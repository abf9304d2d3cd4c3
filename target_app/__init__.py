"""The reference application: every stream of the guide, each with its faults on request.

It imports nothing of the package that measures it, so that it can be read, copied and served by itself:
`uvicorn --http h11 target_app.app:app`.
"""
