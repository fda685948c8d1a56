"""All routes, on one page."""

from tornado.routing import URLSpec
from tornado.web import url

from handlers.api import account, activity, admin, auth, factors, health, metrics, second_factor
from handlers.openapi import document as openapi
from handlers.pages import account as account_pages
from handlers.pages import base as pages
from handlers.pages import login as login_pages
from handlers.pages import security as factor_pages
from handlers.websocket import handler as socket
from server.core.token import SID_PATTERN

NAME = r"([^/]+)"

ROUTES: list[URLSpec] = [
    # Pages
    url(r"/", pages.StartPage),
    url(r"/signup", auth.SignupPage),
    url(r"/login", auth.LoginPage),
    url(r"/login/second-factor", login_pages.SecondFactorPage),
    url(r"/login/passkey", login_pages.PasskeyLoginPage),
    url(r"/logout", auth.LogoutPage),
    url(r"/reauthenticate", auth.ReauthenticatePage),
    url(r"/account", account_pages.AccountPage),
    url(r"/account/password", account_pages.PasswordPage),
    url(r"/account/security", factor_pages.SecurityPage),
    url(r"/account/security/totp", factor_pages.BeginTotpPage),
    url(r"/account/security/totp/confirm", factor_pages.AddTotpPage),
    url(r"/account/security/totp/remove", factor_pages.RemoveTotpPage),
    url(r"/account/security/recovery-codes", factor_pages.RecoveryCodesPage),
    url(r"/account/security/passkeys", factor_pages.AddPasskeyPage),
    url(r"/account/security/passkeys/remove", factor_pages.RemovePasskeyPage),
    url(r"/account/sessions/end", account_pages.EndManyPage),
    url(rf"/account/sessions/({SID_PATTERN})/end", account_pages.EndOnePage),
    # Signing in and out
    url(r"/api/signup", auth.SignupHandler),
    url(r"/api/login", auth.LoginHandler),
    url(r"/api/login/second-factor", second_factor.LoginSecondFactor),
    url(r"/api/login/passkey", second_factor.LoginPasskey),
    url(r"/api/login/passkey/options", second_factor.LoginPasskeyOptions),
    url(r"/api/logout", auth.LogoutHandler),
    url(r"/api/password", account.PasswordResource),
    # Second factors
    url(r"/api/factors", factors.FactorsResource),
    url(r"/api/totp", factors.TotpResource),
    url(r"/api/recovery-codes", factors.RecoveryCodesResource),
    url(r"/api/passkeys", factors.PasskeysResource),
    url(r"/api/passkeys/options", factors.PasskeyOptions),
    url(r"/api/passkeys/([^/]+)", factors.OnePasskeyResource),
    # This session
    url(r"/api/session", account.SessionResource),
    url(r"/api/session/rotate", account.RotateHandler),
    url(r"/api/session/reauthenticate", auth.ReauthenticateHandler),
    url(r"/api/session/reauthenticate/passkey", second_factor.ReauthenticatePasskey),
    url(r"/api/session/reauthenticate/passkey/options", second_factor.ReauthenticatePasskeyOptions),
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
