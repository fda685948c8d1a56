"""All routes on one page: every address of the server, and the handler that answers it."""

from tornado.routing import URLSpec
from tornado.web import url

from handlers.api import (
    accounts,
    activity,
    admin,
    factors,
    health,
    metrics,
    password,
    reauthentication,
    session,
    sessions,
    signing_in,
)
from handlers.openapi import handler as openapi
from handlers.pages import (
    account,
    account_forms,
    admin_forms,
    admin_live,
    delete_account,
    login,
    logout,
    look_form,
    reauthenticate,
    security,
    signup,
    start,
)
from handlers.pages import admin as admin_pages
from handlers.pages import security_forms as forms
from handlers.websocket import handler as websocket
from server.core.token import SID_PATTERN

NAME = r"([^/]+)"

ROUTES: list[URLSpec] = [
    # Pages
    url(r"/", start.StartPage),
    url(r"/signup", signup.SignupPage),
    url(r"/login", login.LoginPage),
    url(r"/login/second-factor", login.SecondFactorPage),
    url(r"/login/passkey", login.PasskeyLoginPage),
    url(r"/logout", logout.LogoutPage),
    url(r"/look", look_form.LookPage),
    url(r"/reauthenticate", reauthenticate.ReauthenticatePage),
    url(r"/account", account.AccountPage),
    url(r"/account/password", account_forms.PasswordPage),
    url(r"/account/delete", delete_account.DeleteAccountPage),
    url(r"/account/security", security.SecurityPage),
    url(r"/account/security/totp", forms.BeginTotpPage),
    url(r"/account/security/totp/confirm", forms.AddTotpPage),
    url(r"/account/security/totp/remove", forms.RemoveTotpPage),
    url(r"/account/security/recovery-codes", forms.RecoveryCodesPage),
    url(r"/account/security/passkeys", forms.AddPasskeyPage),
    url(r"/account/security/passkeys/remove", forms.RemovePasskeyPage),
    url(r"/account/sessions/end", account_forms.EndManyPage),
    url(rf"/account/sessions/({SID_PATTERN})/end", account_forms.EndOnePage),
    # Pages of administrators
    url(r"/admin", admin_pages.AdminPage),
    url(r"/admin/live", admin_live.AdminLivePage),
    url(rf"/admin/users/{NAME}", admin_pages.AdminUserPage),
    url(rf"/admin/users/{NAME}/end", admin_forms.EndAllOfUserPage),
    url(rf"/admin/sessions/({SID_PATTERN})", admin_pages.AdminSessionPage),
    url(rf"/admin/sessions/({SID_PATTERN})/end", admin_forms.EndOneOfAnyPage),
    # Signing in and out
    url(r"/api/signup", signing_in.SignupHandler),
    url(r"/api/login", signing_in.LoginHandler),
    url(r"/api/login/second-factor", signing_in.LoginSecondFactor),
    url(r"/api/login/passkey", signing_in.LoginPasskey),
    url(r"/api/login/passkey/options", signing_in.LoginPasskeyOptions),
    url(r"/api/logout", signing_in.LogoutHandler),
    url(r"/api/password", password.PasswordResource),
    # Second factors
    url(r"/api/factors", factors.FactorsResource),
    url(r"/api/totp", factors.TotpResource),
    url(r"/api/recovery-codes", factors.RecoveryCodesResource),
    url(r"/api/passkeys", factors.PasskeysResource),
    url(r"/api/passkeys/options", factors.PasskeyOptions),
    url(r"/api/passkeys/([^/]+)", factors.OnePasskeyResource),
    # This session
    url(r"/api/session", session.SessionResource),
    url(r"/api/session/rotate", session.RotateHandler),
    url(r"/api/session/reauthenticate", reauthentication.ReauthenticateHandler),
    url(r"/api/session/reauthenticate/passkey", reauthentication.ReauthenticatePasskey),
    url(
        r"/api/session/reauthenticate/passkey/options",
        reauthentication.ReauthenticatePasskeyOptions,
    ),
    url(r"/api/session/data", session.DataHandler),
    url(r"/api/activity", activity.ActivityResource),
    # All sessions
    url(r"/api/sessions", sessions.SessionsResource),
    url(r"/api/sessions/([^/]+)", sessions.OneSessionResource),
    url(r"/api/account", accounts.AccountResource),
    # Administrators
    url(r"/api/admin/users", accounts.UsersResource),
    url(rf"/api/admin/users/{NAME}", accounts.UserResource),
    url(rf"/api/admin/users/{NAME}/admin", accounts.UserAdminResource),
    url(rf"/api/admin/users/{NAME}/name", accounts.UserNameResource),
    url(rf"/api/admin/users/{NAME}/sessions", admin.UserSessionsResource),
    url(rf"/api/admin/users/{NAME}/disabled", admin.UserDisabledResource),
    # Sockets and probes
    url(r"/ws", websocket.SocketHandler),
    url(r"/healthz", health.Healthz),
    url(r"/readyz", health.Readyz),
    url(r"/metrics", metrics.MetricsHandler),
    url(r"/openapi\.json", openapi.OpenApiHandler),
]
