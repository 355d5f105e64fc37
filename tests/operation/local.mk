## tests/operation
check_PROGRAMS += tests/operation/test_decision tests/operation/test_refresh tests/operation/test_password \
	tests/operation/test_client_auth tests/operation/test_token_ref tests/operation/test_issue \
	tests/operation/test_issuer tests/operation/test_preview \
	tests/operation/test_password_gate tests/operation/test_guess tests/operation/test_secret_proof \
	tests/operation/test_login tests/operation/test_logout tests/operation/test_verify
tests_operation_test_decision_SOURCES = tests/operation/test_decision.c
tests_operation_test_decision_CPPFLAGS = $(TEST_CPPFLAGS)
tests_operation_test_decision_LDADD = $(OPERATION_LIBS)
tests_operation_test_refresh_SOURCES = \
	tests/operation/test_refresh.c \
	tests/operation/world.c \
	tests/operation/world.h
tests_operation_test_refresh_CPPFLAGS = $(TEST_CPPFLAGS)
tests_operation_test_refresh_LDADD = $(OPERATION_LIBS)
tests_operation_test_password_SOURCES = tests/operation/test_password.c
tests_operation_test_password_CPPFLAGS = $(TEST_CPPFLAGS)
tests_operation_test_password_LDADD = $(OPERATION_LIBS)
check_PROGRAMS += tests/operation/test_password_kind
tests_operation_test_password_kind_SOURCES = tests/operation/test_password_kind.c
tests_operation_test_password_kind_CPPFLAGS = $(TEST_CPPFLAGS)
tests_operation_test_password_kind_LDADD = $(OPERATION_LIBS)
check_PROGRAMS += tests/operation/test_decoy
tests_operation_test_decoy_SOURCES = tests/operation/test_decoy.c tests/operation/world.c tests/operation/world.h
tests_operation_test_decoy_CPPFLAGS = $(TEST_CPPFLAGS)
tests_operation_test_decoy_LDADD = $(OPERATION_LIBS)
tests_operation_test_client_auth_SOURCES = tests/operation/test_client_auth.c tests/operation/world.c tests/operation/world.h
tests_operation_test_client_auth_CPPFLAGS = $(TEST_CPPFLAGS)
tests_operation_test_client_auth_LDADD = $(OPERATION_LIBS)
tests_operation_test_token_ref_SOURCES = tests/operation/test_token_ref.c tests/operation/world.c tests/operation/world.h
tests_operation_test_token_ref_CPPFLAGS = $(TEST_CPPFLAGS)
tests_operation_test_token_ref_LDADD = $(OPERATION_LIBS)
tests_operation_test_issue_SOURCES = tests/operation/test_issue.c tests/operation/world.c tests/operation/world.h
tests_operation_test_issue_CPPFLAGS = $(TEST_CPPFLAGS)
tests_operation_test_issue_LDADD = $(OPERATION_LIBS)
tests_operation_test_logout_SOURCES = tests/operation/test_logout.c tests/operation/world.c tests/operation/world.h
tests_operation_test_logout_CPPFLAGS = $(TEST_CPPFLAGS)
tests_operation_test_logout_LDADD = $(OPERATION_LIBS)
tests_operation_test_verify_SOURCES = tests/operation/test_verify.c tests/operation/world.c tests/operation/world.h
tests_operation_test_verify_CPPFLAGS = $(TEST_CPPFLAGS)
tests_operation_test_verify_LDADD = $(OPERATION_LIBS)
tests_operation_test_issuer_SOURCES = tests/operation/test_issuer.c tests/operation/world.c tests/operation/world.h
tests_operation_test_issuer_CPPFLAGS = $(TEST_CPPFLAGS)
tests_operation_test_issuer_LDADD = $(OPERATION_LIBS)
tests_operation_test_preview_SOURCES = tests/operation/test_preview.c tests/operation/world.c tests/operation/world.h
tests_operation_test_preview_CPPFLAGS = $(TEST_CPPFLAGS)
tests_operation_test_preview_LDADD = $(OPERATION_LIBS)
tests_operation_test_password_gate_SOURCES = tests/operation/test_password_gate.c
tests_operation_test_password_gate_CPPFLAGS = $(TEST_CPPFLAGS)
tests_operation_test_password_gate_LDADD = $(OPERATION_LIBS)
tests_operation_test_guess_SOURCES = tests/operation/test_guess.c tests/operation/world.c tests/operation/world.h
tests_operation_test_guess_CPPFLAGS = $(TEST_CPPFLAGS)
tests_operation_test_guess_LDADD = $(OPERATION_LIBS) libhttp.a
tests_operation_test_secret_proof_SOURCES = tests/operation/test_secret_proof.c tests/operation/world.c tests/operation/world.h
tests_operation_test_secret_proof_CPPFLAGS = $(TEST_CPPFLAGS)
tests_operation_test_secret_proof_LDADD = $(OPERATION_LIBS)
tests_operation_test_login_SOURCES = tests/operation/test_login.c tests/operation/world.c tests/operation/world.h
tests_operation_test_login_CPPFLAGS = $(TEST_CPPFLAGS)
tests_operation_test_login_LDADD = $(OPERATION_LIBS)
check_PROGRAMS += tests/operation/test_device_polls
tests_operation_test_device_polls_SOURCES = tests/operation/test_device_polls.c
tests_operation_test_device_polls_CPPFLAGS = $(TEST_CPPFLAGS)
tests_operation_test_device_polls_LDADD = $(OPERATION_LIBS)
check_PROGRAMS += tests/operation/test_metrics
tests_operation_test_metrics_SOURCES = tests/operation/test_metrics.c tests/operation/world.c tests/operation/world.h
tests_operation_test_metrics_CPPFLAGS = $(TEST_CPPFLAGS)
tests_operation_test_metrics_LDADD = $(OPERATION_LIBS)
check_PROGRAMS += tests/operation/test_remote_user
tests_operation_test_remote_user_SOURCES = tests/operation/test_remote_user.c tests/operation/world.c tests/operation/world.h
tests_operation_test_remote_user_CPPFLAGS = $(TEST_CPPFLAGS)
tests_operation_test_remote_user_LDADD = $(OPERATION_LIBS)
check_PROGRAMS += tests/operation/test_code
tests_operation_test_code_SOURCES = tests/operation/test_code.c tests/operation/world.c tests/operation/world.h
tests_operation_test_code_CPPFLAGS = $(TEST_CPPFLAGS)
tests_operation_test_code_LDADD = $(OPERATION_LIBS)
check_PROGRAMS += tests/operation/test_client_grant
tests_operation_test_client_grant_SOURCES = tests/operation/test_client_grant.c tests/operation/world.c tests/operation/world.h
tests_operation_test_client_grant_CPPFLAGS = $(TEST_CPPFLAGS)
tests_operation_test_client_grant_LDADD = $(OPERATION_LIBS)
check_PROGRAMS += tests/operation/test_device
tests_operation_test_device_SOURCES = tests/operation/test_device.c tests/operation/world.c tests/operation/world.h
tests_operation_test_device_CPPFLAGS = $(TEST_CPPFLAGS)
tests_operation_test_device_LDADD = $(OPERATION_LIBS)
check_PROGRAMS += tests/operation/test_adopt
tests_operation_test_adopt_SOURCES = tests/operation/test_adopt.c tests/operation/world.c tests/operation/world.h \
	tests/token/forge.c tests/token/forge.h
tests_operation_test_adopt_CPPFLAGS = $(TEST_CPPFLAGS)
tests_operation_test_adopt_LDADD = $(OPERATION_LIBS)
check_PROGRAMS += tests/operation/test_hook
tests_operation_test_hook_SOURCES = tests/operation/test_hook.c tests/operation/world.c tests/operation/world.h
tests_operation_test_hook_CPPFLAGS = $(TEST_CPPFLAGS)
tests_operation_test_hook_LDADD = $(OPERATION_LIBS)
