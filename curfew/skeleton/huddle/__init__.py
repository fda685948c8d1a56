"""Huddle: a small application on Curfew. Begin here.

`python -m huddle` serves it, `python -m huddle --help` lists its commands.
"""

from pathlib import Path

import curfew

from huddle.commands import GREET
from huddle.greeting import Greeting, GreetingPage, Waves
from huddle.lifespan import lifespan
from huddle.options import Options

HERE = Path(__file__).parent

application = curfew.Application(
    "huddle",
    routes=[
        curfew.url(r"/greeting", GreetingPage),
        curfew.url(r"/api/greeting", Greeting),
        curfew.url(r"/ws/waves", Waves),
    ],
    settings=Options,
    lifespan=lifespan,
    commands=[GREET],
    templates=HERE / "templates",
    static=HERE / "static",
    languages=HERE / "languages",
    brand=curfew.Brand("Huddle", stylesheet="huddle/huddle.css"),
)
