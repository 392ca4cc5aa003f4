;;; vault.el --- A real external vault: signing in, choosing what to link, signing out  -*- lexical-binding: t; -*-

(require 'support)
(require 'url)

(defconst vault-world (json-parse-string (getenv "VAULTLS_TEST_VAULT") :object-type 'plist))
(defconst vault-address (test-serve))
(defconst vault-value "canary-chosen-7d13b9")
(defconst vault-password "canary-password-51b0e7")
(setq test-secrets (list vault-value vault-password))
(defvar vault-opened nil "The page that was opened last.")
(defvar vault-browser t "Whether a browser opens.")

(setq browse-url-browser-function (lambda (url &rest _)
                                    (setq vault-opened url)
                                    (unless vault-browser (error "There is no browser")))
      url-privacy-level 'paranoid
      url-show-status nil)

(test-write "vaultls.toml"
            "[integrations.team]"
            "provider = \"hashicorp\""
            (format "address = \"%s\"" (plist-get vault-world :address))
            (format "auth = { method = \"oidc\", provider-url = \"%s\", jwt-path = \"postman-jwt\", client-id = \"%s\" }"
                    (plist-get vault-world :issuer) (plist-get vault-world :client))
            ""
            "[integrations.people]"
            "provider = \"hashicorp\""
            (format "address = \"%s\"" (plist-get vault-world :address))
            "auth = { method = \"userpass\" }")
(test-write "vault.http" "### One" (format "GET %s/one" vault-address) "Authorization: Bearer <<vault:app>>")

(defun vault-get (url &optional token)
  "What URL answers to whoever has TOKEN."
  (let ((url-request-extra-headers (and token `(("X-Vault-Token" . ,token))))
        (url-proxy-services nil))
    (with-current-buffer (url-retrieve-synchronously url t t 30)
      (goto-char (point-min))
      (re-search-forward "\r?\n\r?\n")
      (prog1 (buffer-substring (point) (point-max))
        (kill-buffer)))))

(defun vault-sign-in-on-page (url)
  "What the page URL does once somebody has signed in there: where the browser is sent."
  (let* ((answer (json-parse-string (vault-get (string-replace "/ui/vault/" "/v1/" url) (plist-get vault-world :token))
                                    :object-type 'plist))
         (query (url-parse-query-string (cadr (split-string url "?"))))
         (back (cadr (assoc "redirect_uri" query))))
    (format "%s?code=%s&state=%s" back (plist-get answer :code) (plist-get answer :state))))

(defun vault-wait-for-page ()
  "Wait for a page to be opened and shown, and return it."
  (test-wait "the page" (lambda () (and vault-opened (test-shown "*vaultls sign in*"))))
  (should (string-search vault-opened (test-shown "*vaultls sign in*")))
  (prog1 vault-opened (setq vault-opened nil)))

(defun vault-wait-for-end ()
  "Wait until no sign-in is under way."
  (test-wait "the end of the sign-in" (lambda () (not (get-buffer "*vaultls sign in*")))))

(defun vault-disconnect ()
  "Sign out of the team's vault."
  (vaultls-disconnect "team")
  (test-wait "the diagnostic" (lambda () (test-diagnosed "disconnected"))))

(defun vault-send ()
  "Send the request, and see that the value is sent and not shown."
  (test-forget-response)
  (test-go-to "GET ")
  (vaultls-run)
  (should-not (string-search vault-value (test-response)))
  (should (string-search (concat "Bearer " vault-value) (car test-requests))))

;; One story, in the order of its names.

(ert-deftest vault-1-what-is-linked-is-chosen-after-signing-in-on-the-page-that-the-server-opens ()
  (test-open "vault.http")
  (test-wait "the diagnostic" (lambda () (test-diagnosed "missing")))
  (test-with-person (:agree '(t))
    (vaultls-trust)
    (test-wait "the answer" (lambda () (cl-some (lambda (told) (string-search "trusted" told)) test-told))))
  ;; The keys of a secret in an engine of version 1 cannot be listed without reading it, so one is typed.
  (test-with-person (:choose '("team" "Sign in" "kv" "app" "(") :enter '("password" "http://127.0.0.1"))
    (test-go-to "<<vault:app")
    (vaultls-link "app")
    (let ((url (vault-wait-for-page)))
      (should (string-search "signing in to team" (vaultls--mode-line-text)))
      (vault-get (vault-sign-in-on-page url)))
    (vault-wait-for-end)
    (test-wait "the diagnostic to heal" (lambda () (not (test-diagnosed "missing"))))
    (should-not (cl-some (lambda (question) (string-prefix-p "hidden " question)) test-asked)))
  (with-temp-buffer
    (insert-file-contents (expand-file-name "vaultls.toml" test-folder))
    (dolist (line '("[secrets.app]" "path = \"app\"" "key = \"password\""))
      (should (string-search line (buffer-string))))))

(ert-deftest vault-2-the-value-is-sent-and-never-seen ()
  (test-open "vault.http")
  (test-with-person (:choose nil)
    (vault-send)))

(ert-deftest vault-3-the-status-tells-who-is-signed-in ()
  (test-open "vault.http")
  (vaultls-status)
  (let ((status (test-wait "the status" (lambda () (test-shown "*vaultls status*")))))
    (should (string-match-p "team +hashicorp, .*signed in" status))))

(ert-deftest vault-4-after-signing-out-sending-asks-to-sign-in-again-and-goes-on-by-itself ()
  (test-open "vault.http")
  (test-with-person (:choose '("Sign in"))
    (vault-disconnect)
    (should (string-search "disconnected" (vaultls--mode-line-text)))
    (test-forget-response)
    (test-go-to "GET ")
    (vaultls-run)
    (vault-get (vault-sign-in-on-page (vault-wait-for-page)))
    (vault-wait-for-end)
    (should (string-search "/one" (test-response)))
    (should (= 1 (length test-asked)))
    (test-wait "the mode line" (lambda () (not (string-search "disconnected" (or (vaultls--mode-line-text) "")))))))

(ert-deftest vault-5-where-no-browser-opens-the-address-that-another-one-was-sent-to-is-pasted ()
  (test-open "vault.http")
  (let ((vault-browser nil) address)
    (test-with-person (:choose nil)
      (vault-disconnect)
      (vaultls-login "team")
      (setq address (vault-sign-in-on-page (vault-wait-for-page))))
    (test-with-person (:hide (list address))
      (with-current-buffer "*vaultls sign in*"
        (test-go-to "Paste")
        (push-button))
      (vault-wait-for-end)
      (should (string-prefix-p "hidden " (car test-asked)))
      (test-wait "the diagnostic to heal" (lambda () (not (test-diagnosed "disconnected"))))
      (should (cl-some (lambda (told) (string-search "signed in to `team`" told)) test-told))
      (vault-send))))

(ert-deftest vault-6-a-sign-in-is-given-up-and-can-begin-again ()
  (test-open "vault.http")
  (test-with-person (:choose nil)
    (vault-disconnect)
    (vaultls-login "team")
    (let ((first (vault-wait-for-page)))
      (test-wait "the progress" (lambda () vaultls--progress))
      (vaultls-cancel)
      (should-not (get-buffer "*vaultls sign in*"))
      (test-wait "the server to give up" (lambda () (null vaultls--progress)))
      (vaultls-login "team")
      (let ((again (vault-wait-for-page)))
        (should-not (equal first again))
        (vault-get (vault-sign-in-on-page again))))
    (vault-wait-for-end)
    (test-wait "the diagnostic to heal" (lambda () (not (test-diagnosed "disconnected"))))))

(ert-deftest vault-7-a-password-leads-to-a-one-time-code-and-both-are-asked-for-unseen ()
  (test-open "vault.http")
  (let* ((code (vault-get (concat (plist-get vault-world :address) "/v1/totp/code/alice") (plist-get vault-world :root)))
         (code (plist-get (plist-get (json-parse-string code :object-type 'plist) :data) :code)))
    (test-with-person (:enter '("alice") :hide (list vault-password code))
      (vaultls-login "people")
      (test-wait "the word" (lambda () (cl-some (lambda (told) (string-search "signed in to `people`" told)) test-told)))
      (should (= 2 (cl-count-if (lambda (question) (string-prefix-p "hidden " question)) test-asked))))))
