;;; vaultls.el --- HTTP requests whose secrets live in vaults  -*- lexical-binding: t; -*-

;; Version: 0.1.0
;; Package-Requires: ((emacs "28.1") (eglot "1.9"))
;; Keywords: comm, tools
;; SPDX-License-Identifier: MIT OR Apache-2.0

;;; Commentary:

;; Lets Eglot run the language server of vaultls in `.http' and `.rest' files
;; and in Postman collections.  Sends the request at point and shows the
;; response in another window, with every secret masked; asks for what only
;; the person knows.  A value is never part of the editor's conversation with
;; the server, which Eglot logs: it goes to the standard input of
;; `vaultls answer', and is forgotten.
;;
;;   (require 'vaultls)
;;   (add-hook 'vaultls-http-mode-hook #'eglot-ensure)

;;; Code:

(require 'cl-lib)
(require 'compile)
(require 'easymenu)
(require 'eglot)
(require 'project)
(require 'vaultls-client)
(require 'vaultls-lens)
(require 'vaultls-link)
(require 'vaultls-outcome)
(require 'vaultls-response)
(require 'vaultls-run)

;;;; Modes

(defconst vaultls--font-lock
  `((,(rx bol "###" (* nonl)) . font-lock-doc-face)
    (,(rx bol (or "#" "//") (* nonl)) . font-lock-comment-face)
    (,(rx bol "@" (group (+ (any "a-zA-Z0-9._-"))) (* blank) "=" (* blank) (group (* nonl)))
     (1 font-lock-variable-name-face) (2 font-lock-string-face))
    (,vaultls--request-line (1 font-lock-keyword-face) (2 font-lock-function-name-face))
    (,(rx bol (group (+ (any "a-zA-Z0-9!#$%&'*+.^_`|~-"))) ":" (or blank eol))
     (1 font-lock-type-face))
    (,(rx "{{" (+ (not (any "{}\n"))) "}}") (0 font-lock-variable-name-face t))
    (,vaultls--reference (0 'vaultls-reference t)))
  "What stands out in a file of requests.")

(defvar vaultls--shared-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "C-c C-c") #'vaultls-run)
    (define-key map (kbd "C-c RET") #'vaultls-lens-act)
    (define-key map (kbd "C-c C-k") #'vaultls-cancel)
    (define-key map (kbd "C-c C-a") #'eglot-code-actions)
    (define-key map (kbd "C-c C-e") #'vaultls-environment)
    (define-key map (kbd "C-c C-l") #'vaultls-responses)
    (define-key map (kbd "C-c C-s") #'vaultls-status)
    (define-key map (kbd "C-c C-v") #'vaultls-check)
    (define-key map (kbd "C-c C-w") #'vaultls-copy-curl)
    (define-key map (kbd "C-c C-x") #'vaultls-extract)
    map)
  "Keys of files with requests.")

(easy-menu-define vaultls-menu vaultls--shared-map
  "Menu of files with requests."
  '("Requests"
    ["Send request" vaultls-run]
    ["Give up" vaultls-cancel]
    ["Responses" vaultls-responses]
    ["Copy as curl" vaultls-copy-curl]
    ["Environment" vaultls-environment]
    "---"
    ["Create secret" vaultls-create]
    ["Link secret" vaultls-link]
    ["Move value into the local vault" vaultls-extract]
    ["Open secret at its provider" vaultls-open-at-provider]
    "---"
    ["Sign in" vaultls-login]
    ["Sign out" vaultls-disconnect]
    ["Trust definitions" vaultls-trust]
    ["Unlock local vault" vaultls-unlock]
    ["Lock local vault" vaultls-lock]
    "---"
    ["Status" vaultls-status]
    ["Check workspace" vaultls-check]))

(defconst vaultls--mode-line '(:eval (vaultls--mode-line-text))
  "What the mode line tells of a buffer with requests.")
(put 'vaultls--mode-line 'risky-local-variable t)

(defun vaultls--mode-line-text ()
  "The environment, a sign-in that is under way, and what keeps the secrets of this buffer from being had."
  (let* ((visit (and vaultls--visits (vaultls--served-p)
                     (cl-find (eglot-current-server) vaultls--visits :key #'vaultls--visit-server)))
         (state (if visit (format "signing in to %s" (vaultls--visit-integration visit)) vaultls--trouble))
         (parts (delq nil (list vaultls-environment state))))
    (and parts (format " [%s]" (vaultls--bar-text (string-join parts " · "))))))

(defvar vaultls-http-mode-map (make-composed-keymap nil vaultls--shared-map))

;;;###autoload
(define-derived-mode vaultls-http-mode prog-mode "HTTP"
  "Major mode for files of HTTP requests."
  (setq-local comment-start "# ")
  (setq-local comment-start-skip (rx (or "#" "//") (* blank)))
  (setq-local font-lock-defaults '(vaultls--font-lock t))
  (setq-local mode-line-process vaultls--mode-line)
  (setq-local imenu-generic-expression `((nil ,(rx bol "###" (+ blank) (group (+ nonl))) 1))))

;;;###autoload
(define-derived-mode vaultls-collection-mode vaultls--json-mode "Postman"
  "Major mode for Postman collections."
  (setq-local mode-line-process vaultls--mode-line)
  (font-lock-add-keywords nil `((,vaultls--reference (0 'vaultls-reference t)))))

(set-keymap-parent vaultls-collection-mode-map
                   (make-composed-keymap vaultls--shared-map
                                         (keymap-parent vaultls-collection-mode-map)))

;;;###autoload
(progn
  ;; A mode that is there already stays: references are then coloured by the server alone.
  (unless (assoc-default "a.http" auto-mode-alist #'string-match)
    (add-to-list 'auto-mode-alist '("\\.\\(?:http\\|rest\\)\\'" . vaultls-http-mode)))
  (add-to-list 'auto-mode-alist '("\\.postman_collection\\.json\\'" . vaultls-collection-mode)))

;;;; Commands

(defun vaultls-run (&optional environment)
  "Send the request at point.  With a prefix argument, ask for the ENVIRONMENT."
  (interactive (list (and current-prefix-arg
                          (completing-read "Environment: " (vaultls--environments) nil nil nil t))))
  (let ((environment (or environment vaultls-environment)))
    (vaultls--run (vaultls--argument :line (1- (line-number-at-pos nil t)))
                  environment)))

(defun vaultls-cancel ()
  "Give up the requests of this buffer that wait for their response, and sign-ins that wait for a browser."
  (interactive)
  (let ((visits vaultls--visits))
    (mapc #'vaultls--give-up visits)
    (when (and (zerop (vaultls--cancel-runs)) (null visits))
      (vaultls--say "nothing is being sent, and nobody signs in"))))

;;;###autoload
(defun vaultls-create (name)
  "Create the secret NAME in the local vault.  Its value is asked for, unseen."
  (interactive (list (vaultls--read-secret t)))
  (vaultls--send "vaultls.create" (vaultls--argument :name name)))

(defun vaultls-enable (name)
  "Turn the secret NAME of the local vault on."
  (interactive (list (vaultls--read-secret)))
  (vaultls--send "vaultls.enable" (vaultls--argument :name name)))

(defun vaultls-link (name)
  "Link the secret NAME to an external vault by choosing what is there."
  (interactive (list (vaultls--read-secret t)))
  (vaultls--link (vaultls--argument :name name) #'ignore))

(defun vaultls-login (integration)
  "Sign in to INTEGRATION."
  (interactive (list (vaultls--read-integration)))
  (vaultls--send "vaultls.login" (vaultls--argument :integration integration)))

(defun vaultls-disconnect (integration)
  "Sign out of INTEGRATION and forget what it gave."
  (interactive (list (vaultls--read-integration)))
  (vaultls--send "vaultls.disconnect" (vaultls--argument :integration integration)))

(defun vaultls-open-at-provider (name)
  "Open the page of the secret NAME at its provider."
  (interactive (list (vaultls--read-secret)))
  (vaultls--send "vaultls.openAtProvider" (vaultls--argument :name name)))

(defun vaultls-unlock ()
  "Unlock the local vault."
  (interactive)
  (vaultls--send "vaultls.unlock" nil))

(defun vaultls-lock ()
  "Lock the local vault, and forget every value that was fetched."
  (interactive)
  (vaultls--send "vaultls.lock" nil))

(defun vaultls-trust ()
  "Show the definitions that came with the workspace, and trust them or not."
  (interactive)
  (vaultls--send "vaultls.trust" (vaultls--argument)))

(defun vaultls-status ()
  "Show the local vault, the integrations and the secrets of this workspace."
  (interactive)
  (vaultls--send "vaultls.status" (vaultls--argument)))

(defun vaultls-copy-curl ()
  "Copy the request at point as a curl command; its references stay references."
  (interactive)
  (vaultls--send "vaultls.copyCurl" (vaultls--argument :line (1- (line-number-at-pos)))))

(defun vaultls-reset-cache ()
  "Forget every value that was fetched."
  (interactive)
  (vaultls--send "vaultls.resetCache" (vaultls--argument)))

(defun vaultls-paste-address ()
  "Hand over the address that the browser was sent to: for a browser that runs elsewhere."
  (interactive)
  (let ((visit (cl-find-if (lambda (visit) (plist-get (vaultls--visit-outcome visit) :ticket)) vaultls--visits)))
    (vaultls--paste (or visit (user-error "No sign-in waits for an address")))))

(defun vaultls-extract ()
  "Move the value at point, or in the region, into the local vault; a reference takes its place."
  (interactive)
  (let ((buffer (current-buffer))
        (range (list :start (eglot--pos-to-lsp-position (if (use-region-p) (region-beginning) (point)))
                     :end (eglot--pos-to-lsp-position (if (use-region-p) (region-end) (point))))))
    (jsonrpc-async-request
     (vaultls--server) :textDocument/codeAction
     `(:textDocument (:uri ,(vaultls--uri)) :range ,range :context (:diagnostics []))
     :success-fn (lambda (actions)
                   (when (buffer-live-p buffer)
                     (with-current-buffer buffer (vaultls--later #'vaultls--extract-by actions))))
     :error-fn (lambda (failure) (vaultls--say (plist-get failure :message)))
     :deferred (cl-gensym "vaultls"))))

(defun vaultls--extract-by (actions)
  "Carry out the one of ACTIONS that moves a value."
  (let ((command (cl-some (lambda (action)
                            (let ((command (plist-get action :command)))
                              (and (listp command) (equal (plist-get command :command) "vaultls.extract") command)))
                          actions)))
    (if command (vaultls--carry-out "vaultls.extract" (elt (plist-get command :arguments) 0))
      (vaultls--say "no value that belongs in a vault stands here"))))

(defun vaultls-environment (name)
  "Send requests with the environment NAME from now on; with none if it is empty."
  (interactive (list (completing-read "Environment (empty: none): " (vaultls--environments) nil nil nil t)))
  (let* ((server (vaultls--server)) (environment (unless (string-empty-p name) name)))
    (setq vaultls-environment environment)
    (jsonrpc-notify server :workspace/didChangeConfiguration
                    `(:settings (:vaultls (:environment ,environment))))
    (force-mode-line-update t)))

(defun vaultls--environments ()
  "The names of the environments that requests of this buffer can be sent with."
  (append (plist-get (vaultls--report t) :environments) nil))

;;;; Checking

(define-compilation-mode vaultls-check-mode "vaultls check"
  "Major mode of what `vaultls-check' found."
  (setq-local compilation-error-regexp-alist
              `((,(rx bol (group (+? nonl)) ":" (group (+ digit)) ":" (group (+ digit)) ": "
                      (or "error" (group "warning") (group (or "info" "hint"))) ":")
                 1 2 3 (4 . 5))))
  (setq-local compilation-disable-input t))

(defvar eglot-lsp-context)

(defun vaultls-check (&optional offline)
  "Find what would keep the requests of the workspace from being sent.  Nothing is sent.
With a prefix argument, or if OFFLINE, no external vault is asked.  Whoever checks is another
process than the server, and signed in to nothing."
  (interactive "P")
  (let* ((project (let ((eglot-lsp-context t)) (project-current)))
         (folder (if project (project-root project) default-directory))
         (default-directory (expand-file-name folder))
         ;; Nobody is to be asked, and colours are ours.
         (process-connection-type nil)
         (words `(,@vaultls-command "check" "--no-input" "--root" "." "."
                                    ,@(and vaultls-environment (list "--env" vaultls-environment))
                                    ,@(and offline '("--offline")))))
    (save-some-buffers (not compilation-ask-about-save)
                       (lambda () (and buffer-file-name (file-in-directory-p buffer-file-name default-directory))))
    (compilation-start (mapconcat #'shell-quote-argument words " ") #'vaultls-check-mode
                       (lambda (_mode) "*vaultls check*"))))

;;;; Where commands apply

(defun vaultls--applies-p (_command buffer)
  "Whether the server of vaultls serves BUFFER, or could."
  (with-current-buffer buffer
    (or (derived-mode-p 'vaultls-http-mode 'vaultls-collection-mode 'http-mode 'restclient-mode)
        (vaultls--served-p))))

(defun vaultls--response-p (_command buffer)
  "Whether BUFFER shows a response."
  (buffer-local-value 'vaultls-response-mode buffer))

;; With `read-extended-command-predicate', `M-x' offers a command where it has something to do.
(dolist (command '(vaultls-run vaultls-cancel vaultls-create vaultls-enable vaultls-link vaultls-login
                   vaultls-disconnect vaultls-open-at-provider vaultls-unlock vaultls-lock vaultls-trust vaultls-status
                   vaultls-copy-curl vaultls-reset-cache vaultls-environment vaultls-paste-address vaultls-extract
                   vaultls-check vaultls-lens-act vaultls-lens-mode vaultls-responses))
  (put command 'completion-predicate #'vaultls--applies-p))
(dolist (command '(vaultls-toggle-headers vaultls-older-response vaultls-newer-response vaultls-send-again
                   vaultls-copy-body vaultls-toggle-fold vaultls-response-mode))
  (put command 'completion-predicate #'vaultls--response-p))
(dolist (command '(vaultls-click-tab vaultls-panel-mode vaultls-check-mode))
  (put command 'completion-predicate #'ignore))

(provide 'vaultls)

;; Local Variables:
;; byte-compile-docstring-max-column: 110
;; fill-column: 110
;; indent-tabs-mode: nil
;; End:

;;; vaultls.el ends here
