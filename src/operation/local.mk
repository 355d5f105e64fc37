## src/operation: what can be done, one row per operation
noinst_LIBRARIES += liboperation.a
liboperation_a_SOURCES = \
	src/operation/access_token.c src/operation/access_token.h \
	src/operation/adopt.c src/operation/adopt.h \
	src/operation/authorize.c \
	src/operation/check.c \
	src/operation/client_assertion.c src/operation/client_assertion.h \
	src/operation/client_auth.c src/operation/client_auth.h \
	src/operation/client_grant.c \
	src/operation/code.c src/operation/code.h \
	src/operation/dbsc.c src/operation/dbsc.h \
	src/operation/dbsc_register.c \
	src/operation/dbsc_start.c \
	src/operation/decision.c src/operation/decision.h \
	src/operation/decoy.c src/operation/decoy.h \
	src/operation/device.c \
	src/operation/device_approval.c \
	src/operation/device_grant.c \
	src/operation/device_polls.c src/operation/device_polls.h \
	src/operation/dpop.c src/operation/dpop.h \
	src/operation/ending.c src/operation/ending.h \
	src/operation/exchange.c src/operation/exchange.h \
	src/operation/guess.c src/operation/guess.h \
	src/operation/health.c \
	src/operation/hook.c src/operation/hook.h \
	src/operation/hook_answer.c src/operation/hook_answer.h \
	src/operation/hook_cache.c src/operation/hook_cache.h \
	src/operation/hook_http.c src/operation/hook_http.h \
	src/operation/introspect.c src/operation/introspect.h \
	src/operation/issue.c src/operation/issue.h \
	src/operation/issuer.c src/operation/issuer.h \
	src/operation/jwt_claims.c src/operation/jwt_claims.h \
	src/operation/key_set.c \
	src/operation/public_key.c \
	src/operation/login.c \
	src/operation/logout.c \
	src/operation/metrics.c \
	src/operation/nonce.c src/operation/nonce.h \
	src/operation/operation.c src/operation/operation.h \
	src/operation/own_sessions.c \
	src/operation/ownership.c src/operation/ownership.h \
	src/operation/password.c src/operation/password.h \
	src/operation/password_apr1.c src/operation/password_apr1.h \
	src/operation/password_gate.c src/operation/password_gate.h \
	src/operation/password_kind.c src/operation/password_kind.h \
	src/operation/pending.c src/operation/pending.h \
	src/operation/possession.c src/operation/possession.h \
	src/operation/preview.c src/operation/preview.h \
	src/operation/refresh.c \
	src/operation/refusal.c src/operation/refusal.h \
	src/operation/rehash.c src/operation/rehash.h \
	src/operation/remote_user.c src/operation/remote_user.h \
	src/operation/request.h \
	src/operation/request_event.c src/operation/request_event.h \
	src/operation/revoke.c \
	src/operation/secret_proof.c src/operation/secret_proof.h \
	src/operation/session.c \
	src/operation/settled.c \
	src/operation/standing.c src/operation/standing.h \
	src/operation/target.c src/operation/target.h \
	src/operation/token_ref.c src/operation/token_ref.h \
	src/operation/validate.c \
	src/operation/verify.c
