## src/token
noinst_LIBRARIES += libtoken.a
libtoken_a_SOURCES = \
	src/token/adoption_key.c \
	src/token/adoption_key.h \
	src/token/secrets.c \
	src/token/secrets.h \
	src/token/secrets_file.c \
	src/token/secrets_file.h \
	src/token/refresh_token.c \
	src/token/refresh_token.h \
	src/token/user_code.c \
	src/token/user_code.h \
	src/token/signing_profile.c \
	src/token/signing_profile.h \
	src/token/signing_pem.c \
	src/token/signing_pem.h \
	src/token/signing_numbers.c \
	src/token/signing_numbers.h \
	src/token/signing_pair.c \
	src/token/signing_pair.h \
	src/token/signing_jwk.c \
	src/token/signing_jwk.h \
	src/token/signing_file.c \
	src/token/signing_file.h \
	src/token/signing_key.c \
	src/token/signing_key.h \
	src/token/signing_weak.c \
	src/token/signing_weak.h \
	src/token/certificate.c \
	src/token/certificate.h \
	src/token/client_certificates.c \
	src/token/client_certificates.h \
	src/token/client_keys.c \
	src/token/client_keys.h \
	src/token/keyring.c \
	src/token/keyring.h \
	src/token/jws.c \
	src/token/jws.h \
	src/token/layout_names.c \
	src/token/layout_names.h \
	src/token/layout.c \
	src/token/layout.h

# A program links exactly one of the two verifiers of what clients sign, next to libtoken.a:
# $(CLIENT_JWT) is the one that configure --with-client-jwt names.
CLIENT_JWT_SOURCES = src/token/client_jwt.c src/token/client_jwt.h src/token/dpop_jwt.c src/token/dpop_jwt.h
noinst_LIBRARIES += libclient_jwt_own.a
libclient_jwt_own_a_SOURCES = $(CLIENT_JWT_SOURCES) src/token/client_jwt_own.c
if CLIENT_JWT_LIBJWT
noinst_LIBRARIES += libclient_jwt_libjwt.a
libclient_jwt_libjwt_a_SOURCES = $(CLIENT_JWT_SOURCES) src/token/client_jwt_libjwt.c
CLIENT_JWT = libclient_jwt_libjwt.a
else
CLIENT_JWT = libclient_jwt_own.a
endif
