;;; bare.el --- Eglot and the server, without the package  -*- lexical-binding: t; -*-

(defvar test-newcomer t)
(require 'support)

;; Before Emacs 30, Eglot does not know `window/showDocument'.
(defconst bare-shows (>= emacs-major-version 30))
(unless bare-shows
  (setq test-secrets nil))

(defconst bare-address (test-serve))

(test-write "vaultls.toml" "")

(define-derived-mode bare-mode prog-mode "Bare"
  "A mode that knows nothing of vaultls.")
(add-to-list 'auto-mode-alist '("\\.http\\'" . bare-mode))
(add-to-list 'eglot-server-programs
             `((bare-mode :language-id "http") . (,(getenv "VAULTLS_BIN") "lsp")))

(defun bare-response ()
  "The buffer of a file in the private runtime folder, if one is shown."
  (cl-find-if (lambda (buffer)
                (let ((file (buffer-file-name buffer)))
                  (and file (file-in-directory-p file (getenv "XDG_RUNTIME_DIR")) (get-buffer-window buffer))))
              (buffer-list)))

(ert-deftest a-response-is-opened-from-a-private-file-and-masked ()
  (skip-unless bare-shows)
  (let ((default-directory test-folder))
    (with-temp-buffer
      (insert test-canary)
      (should (zerop (call-process-region (point-min) (point-max) (getenv "VAULTLS_BIN") t t nil "vault" "set" "bare"
                                          "--allow-domain" "http://127.0.0.1")))))
  (test-write "bare.http" (format "GET %s/bare" bare-address) "Authorization: Bearer <<vault:bare>>")
  (test-open "bare.http")
  (test-with-person (:choose '("Send request"))
    (let ((last-nonmenu-event ?x))
      (call-interactively #'eglot-code-actions)))
  (let ((buffer (test-wait "the response" #'bare-response)))
    (with-current-buffer buffer
      (should (string-search "\n  \"path\": \"/bare\",\n" (buffer-string)))
      (should-not (string-search test-canary (buffer-string)))
      (should (= #o600 (logand #o777 (file-modes buffer-file-name))))))
  (should (string-search (concat "Bearer " test-canary) (car test-requests))))
