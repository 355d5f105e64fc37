## src/dialect
noinst_LIBRARIES += libdialect.a
libdialect_a_SOURCES = \
	src/dialect/dialect.c \
	src/dialect/dialect.h \
	src/dialect/answer.c \
	src/dialect/answer.h \
	src/dialect/at_jwt.c src/dialect/at_jwt.h \
	src/dialect/auth_key.c src/dialect/auth_key.h \
	src/dialect/assertion.c \
	src/dialect/assertion.h \
	src/dialect/browser.c src/dialect/browser.h \
	src/dialect/cookies.c src/dialect/cookies.h \
	src/dialect/introspection.c src/dialect/introspection.h \
	src/dialect/described.c src/dialect/described.h \
	src/dialect/described_names.c \
	src/dialect/kopong.c \
	src/dialect/kopong_principal.c src/dialect/kopong_principal.h \
	src/dialect/dbsc.c \
	src/dialect/oauth.c \
	src/dialect/metadata.c src/dialect/metadata.h \
	src/dialect/oauth_authorize.c src/dialect/oauth_authorize.h \
	src/dialect/oauth_check.c src/dialect/oauth_check.h \
	src/dialect/oauth_client.c src/dialect/oauth_client.h \
	src/dialect/oauth_device.c src/dialect/oauth_device.h \
	src/dialect/oauth_dpop.c src/dialect/oauth_dpop.h \
	src/dialect/oauth_expiration.c src/dialect/oauth_expiration.h \
	src/dialect/oauth_grants.c src/dialect/oauth_grants.h \
	src/dialect/oauth_metadata.c src/dialect/oauth_metadata.h \
	src/dialect/oauth_target.c src/dialect/oauth_target.h \
	src/dialect/oauth_sessions.c src/dialect/oauth_sessions.h \
	src/dialect/oauth_token_query.c src/dialect/oauth_token_query.h \
	src/dialect/fusionauth.c \
	src/dialect/fusionauth_revoke.c src/dialect/fusionauth_revoke.h \
	src/dialect/fusionauth_sent.c src/dialect/fusionauth_sent.h \
	src/dialect/koppeltaal.c \
	src/dialect/wellknown.c
EXTRA_DIST += src/dialect/README
