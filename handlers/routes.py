"""All routes, on one page."""

from tornado.routing import URLSpec
from tornado.web import url

from handlers import (
    account,
    account_pages,
    activity,
    admin,
    auth,
    health,
    metrics,
    openapi,
    pages,
    socket,
)
from server.core.token import SID_PATTERN

NAME = r"([^/]{1,64})"

ROUTES: list[URLSpec] = [
    # Pages
    url(r"/", pages.StartPage),
    url(r"/signup", auth.SignupPage),
    url(r"/login", auth.LoginPage),
    url(r"/logout", auth.LogoutPage),
    url(r"/reauthenticate", auth.ReauthenticatePage),
    url(r"/account", account_pages.AccountPage),
    url(r"/account/password", account_pages.PasswordPage),
    url(r"/account/sessions/end", account_pages.EndManyPage),
    url(rf"/account/sessions/({SID_PATTERN})/end", account_pages.EndOnePage),
    # Signing in and out
    url(r"/api/signup", auth.SignupHandler),
    url(r"/api/login", auth.LoginHandler),
    url(r"/api/logout", auth.LogoutHandler),
    url(r"/api/password", account.PasswordResource),
    # This session
    url(r"/api/session", account.SessionResource),
    url(r"/api/session/rotate", account.RotateHandler),
    url(r"/api/session/reauthenticate", auth.ReauthenticateHandler),
    url(r"/api/session/data", account.DataHandler),
    url(r"/api/activity", activity.ActivityResource),
    # All sessions
    url(r"/api/sessions", account.SessionsResource),
    url(r"/api/sessions/([^/]+)", account.OneSessionResource),
    url(rf"/api/admin/users/{NAME}/sessions", admin.UserSessionsResource),
    url(rf"/api/admin/users/{NAME}/disabled", admin.UserDisabledResource),
    # Sockets and probes
    url(r"/ws", socket.SocketHandler),
    url(r"/healthz", health.Healthz),
    url(r"/readyz", health.Readyz),
    url(r"/metrics", metrics.MetricsHandler),
    url(r"/openapi\.json", openapi.OpenApiHandler),
]
