;;; newcomer.el --- The first minutes, as the page tells them  -*- lexical-binding: t; -*-

(defvar test-newcomer t)
(require 'support)

(defconst newcomer-address (test-serve))

(defmacro newcomer-step (what &rest body)
  "Do BODY, and say how long the step WHAT took."
  (declare (indent 1))
  `(let ((began (float-time)))
     (prog1 (progn ,@body)
       (princ (format "# %s: %.1f s\n" ,what (- (float-time) began))))))

(defun newcomer-block (language)
  "The first block of LANGUAGE in the page."
  (with-temp-buffer
    (insert-file-contents (getenv "VAULTLS_PAGE"))
    (re-search-forward (format "^ *```%s\n\\(\\(?:.*\n\\)+?\\) *```" language))
    (match-string 1)))

(ert-deftest the-page-has-at-most-five-steps ()
  (with-temp-buffer
    (insert-file-contents (getenv "VAULTLS_PAGE"))
    (should (<= 3 (how-many "^[0-9]\\. ") 5))))

(ert-deftest a-newcomer-sees-a-masked-response-in-five-steps ()
  (make-directory test-folder t)
  (newcomer-step "install: the block of the page"
    (should-not (featurep 'vaultls))
    (push (file-name-directory (getenv "VAULTLS_BIN")) exec-path)
    ;; Exactly what the page says, but for the place of the clone.
    (with-temp-buffer
      (insert (string-replace "/path/to/vaultls/editors/emacs" (getenv "VAULTLS_ELISP") (newcomer-block "elisp")))
      (eval-buffer)))
  (newcomer-step "open the example"
    (should (zerop (call-process "vaultls" nil nil nil "example" (expand-file-name "try.http" test-folder)
                                 "--host" newcomer-address)))
    (switch-to-buffer (find-file-noselect (expand-file-name "try.http" test-folder)))
    (delete-other-windows)
    ;; Eglot starts after the command that opened the file.
    (run-hooks 'post-command-hook)
    (test-wait "the server" #'eglot-current-server))
  (newcomer-step "see the red reference"
    (test-wait "the diagnostic" (lambda () (test-diagnosed "missing"))))
  (test-go-to "<<vault:")
  (newcomer-step "create it"
    (test-with-person (:choose '("Create `my-token`") :hide (list test-canary))
      (let ((last-nonmenu-event ?x))
        (call-interactively (key-binding (kbd "C-c C-a"))))
      (test-wait "the diagnostic to heal" (lambda () (not (test-diagnosed "missing"))))))
  (newcomer-step "send, and see the masked response"
    (test-with-person (:choose '("Once"))
      (call-interactively (key-binding (kbd "C-c C-c")))
      (let ((shown (test-response)))
        (should (string-search (concat "Bearer " test-canary) (car test-requests)))
        (should-not (string-search test-canary shown))
        (should (string-search "\"/bearer\"" shown))))))
