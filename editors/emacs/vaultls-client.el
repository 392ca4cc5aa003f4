;;; vaultls-client.el --- The server of vaultls, and words with the person  -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: MIT OR Apache-2.0

;;; Commentary:

;; Starts the server through Eglot, sends it commands, and says and asks what takes a line.

;;; Code:

(require 'browse-url)
(require 'cl-lib)
(require 'eglot)
(require 'project)
(require 'subr-x)

;;;; Options

(defgroup vaultls nil
  "HTTP requests whose secrets live in vaults."
  :group 'tools
  :prefix "vaultls-")

(defcustom vaultls-command '("vaultls")
  "The program of vaultls, and arguments that come before the subcommand."
  :type '(repeat string)
  :risky t)

(defcustom vaultls-environment nil
  "The environment of `http-client.env.json' to send requests with."
  :type '(choice (const :tag "None" nil) string)
  :risky t)

(defcustom vaultls-format-json t
  "Whether JSON responses are laid out over lines."
  :type 'boolean)

(defcustom vaultls-lenses t
  "Whether a line above each request says what stands in its way, and sends it when clicked."
  :type 'boolean)

(defcustom vaultls-kept-responses 20
  "How many responses are kept, in memory, to be looked at again."
  :type 'natnum)

(defface vaultls-reference '((t :inherit font-lock-constant-face :weight bold))
  "Face of references to secrets.")

(defface vaultls-lens '((t :inherit shadow :height 0.9))
  "Face of the lines above requests.")

;;;; What stands in a file of requests

(defconst vaultls--reference
  (rx (or (seq "<<" (* blank) "vault:" (* blank) (group (+? (any "a-zA-Z0-9._/ -"))) (* blank) ">>")
          (seq "{{" (* blank) "vault:" (* blank) (group (+? (any "a-zA-Z0-9._/ -"))) (* blank) "}}")))
  "A reference to a secret.  One of its two groups is the name.")

(defconst vaultls--request-line
  (rx bol (group (or "GET" "HEAD" "POST" "PUT" "DELETE" "CONNECT" "PATCH" "OPTIONS" "TRACE"))
      (+ blank) (group (+ nonl)) eol)
  "The line that a request begins with.")

;;;; The server

(defclass vaultls-server (eglot-lsp-server) ()
  :documentation "A running language server of vaultls.")

(dolist (entry '(((vaultls-http-mode :language-id "http") . vaultls--contact)
                 ((vaultls-collection-mode :language-id "json") . vaultls--contact)
                 ((http-mode :language-id "http") . vaultls--contact)
                 ((restclient-mode :language-id "http") . vaultls--contact)))
  ;; A list of modes: one mode with its language is a list as well.
  (add-to-list 'eglot-server-programs (cons (list (car entry)) (cdr entry))))

(defun vaultls--contact (&rest _)
  "How Eglot starts the server."
  (cons 'vaultls-server (append vaultls-command '("lsp"))))

(cl-defmethod eglot-initialization-options ((_server vaultls-server))
  "Say that this client asks the person and shows the answers itself."
  `(:vaultls (:client "emacs" ,@(and vaultls-environment (list :environment vaultls-environment)))))

(cl-defmethod eglot-client-capabilities ((_server vaultls-server))
  "Say what this client can do that Eglot does not know of."
  (let ((capabilities (cl-call-next-method)))
    (pcase-dolist (`(,group ,name ,value) '((:window :showDocument (:support t))
                                            (:window :workDoneProgress t)
                                            (:workspace :codeLens (:refreshSupport t))
                                            (:textDocument :codeLens (:dynamicRegistration :json-false))))
      (let ((of-group (plist-put (plist-get capabilities group) name value)))
        (setq capabilities (plist-put capabilities group of-group))))
    capabilities))

(cl-defmethod eglot-handle-request ((_server vaultls-server) (_method (eql 'window/showDocument))
                                    &key uri external &allow-other-keys)
  "Open URI, a page in the browser if it is EXTERNAL, else a file."
  (cond ((not (eq external t)) (vaultls--later #'vaultls--show-file (vaultls--path uri)) '(:success t))
        ((vaultls--open-page uri) '(:success t))
        (t '(:success :json-false))))

(defun vaultls--open-page (url)
  "Open URL in a browser; whether there was a way to."
  (and (vaultls--page-p url)
       (condition-case nil
           (progn (browse-url url) t)
         (error nil))))

(defun vaultls--show-file (path)
  "Show the file at PATH in another window."
  (display-buffer (find-file-noselect path)))

(defun vaultls--path (uri)
  "The path that URI, a file's, stands for."
  (with-suppressed-warnings ((obsolete eglot--uri-to-path))
    (if (fboundp 'eglot-uri-to-path) (eglot-uri-to-path uri) (eglot--uri-to-path uri))))

(defun vaultls--uri ()
  "The URI of the current buffer's file."
  (let ((file (or buffer-file-name (user-error "This buffer has no file"))))
    (with-suppressed-warnings ((obsolete eglot--path-to-uri))
      (if (fboundp 'eglot-path-to-uri) (eglot-path-to-uri file) (eglot--path-to-uri file)))))

(defun vaultls--project (folder)
  "The project that FOLDER is in, by the files that vaultls reads.  Only Eglot is told."
  (when (and (bound-and-true-p eglot-lsp-context)
             (derived-mode-p 'vaultls-http-mode 'vaultls-collection-mode 'http-mode 'restclient-mode))
    (when-let ((root (or (locate-dominating-file folder "vaultls.toml")
                         (locate-dominating-file folder "http-client.env.json"))))
      (cons 'vaultls root))))

(cl-defmethod project-root ((project (head vaultls)))
  "The folder of PROJECT."
  (cdr project))

(add-hook 'project-find-functions #'vaultls--project)

(defun vaultls--served-p ()
  "Whether the server of vaultls runs for this buffer."
  ;; Where Eglot manages nothing, asking for the server would make it remember one that ends.
  (and (eglot-managed-p)
       (let ((server (eglot-current-server)))
         (and (cl-typep server 'vaultls-server) (jsonrpc-running-p server)))))

(defun vaultls--server ()
  "The server of the current buffer."
  (let ((server (eglot-current-server)))
    (unless (cl-typep server 'vaultls-server)
      (user-error "The server of vaultls does not run here; `M-x eglot' starts it"))
    server))

(defun vaultls--later (function &rest arguments)
  "Call FUNCTION with ARGUMENTS soon: a question must not be asked inside a process filter."
  (let ((buffer (current-buffer)))
    (run-at-time 0 nil (lambda ()
                         (when (buffer-live-p buffer)
                           (with-current-buffer buffer
                             (condition-case failure
                                 ;; A timer would not let the person quit.
                                 (let ((inhibit-quit nil)) (apply function arguments))
                               (quit (message "vaultls: given up"))
                               (error (message "vaultls: %s" (error-message-string failure))))))))))

(defun vaultls--failed (message)
  "The outcome of what failed with MESSAGE."
  (list :outcome "failed" :message message))

(defun vaultls--request (command argument done &optional token)
  "Send COMMAND with ARGUMENT and call DONE with its outcome, in this buffer.
With TOKEN, it can be cancelled."
  (let* ((server (vaultls--server))
         (buffer (current-buffer))
         (answer (lambda (outcome)
                   (when (buffer-live-p buffer)
                     (with-current-buffer buffer (vaultls--later done outcome))))))
    ;; What is typed is what is meant; Eglot tells of edits only when Emacs rests.
    (when (fboundp 'eglot--signal-textDocument/didChange)
      (eglot--signal-textDocument/didChange))
    (jsonrpc-async-request
     server :workspace/executeCommand
     `(:command ,command :arguments ,(vector (or argument (make-hash-table)))
                ,@(and token (list :workDoneToken token)))
     :success-fn answer
     :error-fn (lambda (failure) (funcall answer (vaultls--failed (plist-get failure :message))))
     :timeout nil
     ;; Waits until the server was told every edit, if that was not possible; the name keeps two commands apart.
     :deferred (cl-gensym "vaultls"))))

;;;; Words

(defun vaultls--clean (text)
  "TEXT on one line, every control character visible.  What others wrote is never trusted."
  (replace-regexp-in-string
   (rx (or cntrl (any (#x80 . #x9f) (#x200e . #x200f) (#x202a . #x202e) (#x2066 . #x2069))))
   (lambda (match) (format "\\\\x%02x" (aref match 0))) (format "%s" text)))

(defun vaultls--say (text)
  "Tell TEXT."
  (message "vaultls: %s" (vaultls--clean text)))

(defmacro vaultls--unless-quit (&rest body)
  "The value of BODY; nil if the person quits, for who asked must hear of it."
  (declare (indent 0))
  `(condition-case nil (progn ,@body) (quit nil)))

(defun vaultls--choose (prompt choices)
  "Let the person choose one of CHOICES, in their order, after PROMPT; nil if none was chosen."
  (let* ((table (lambda (text predicate action)
                  (if (eq action 'metadata)
                      '(metadata (display-sort-function . identity) (cycle-sort-function . identity))
                    (complete-with-action action choices text predicate))))
         (choice (vaultls--unless-quit
                   (minibuffer-with-setup-hook #'vaultls--show-choices
                     (completing-read (concat (vaultls--clean prompt) " ") table nil t nil t)))))
    (unless (member choice '(nil "")) choice)))

(defun vaultls--show-choices ()
  "Show what there is to choose from, unless something else does so anyway."
  (unless (or (not (eq completing-read-function #'completing-read-default))
              (cl-some (lambda (mode) (and (boundp mode) (symbol-value mode)))
                       '(vertico-mode icomplete-mode fido-mode mct-mode)))
    (let ((completion-show-help nil))
      (minibuffer-completion-help))))

(defun vaultls--line (label &optional initial)
  "Ask for a line that is no secret, by LABEL with INITIAL; nil if the person quits."
  (when-let ((line (vaultls--unless-quit (read-string (concat (vaultls--clean label) ": ") initial t))))
    (string-trim line)))

(defun vaultls--text (label &optional initial)
  "Ask for text that is no secret, by LABEL with INITIAL; nil if none was entered."
  (let ((text (vaultls--line label initial)))
    (unless (member text '(nil "")) text)))

(defun vaultls--hidden (label)
  "Ask for a secret by LABEL, unseen and in no history; empty if the person quits."
  (or (vaultls--unless-quit (read-passwd (concat (vaultls--clean label) ": "))) ""))

(defun vaultls--page-p (url)
  "Whether URL may be opened in a browser."
  (and (stringp url) (string-match-p (rx bos "http" (? "s") "://" (+ (not (any cntrl space))) eos) url)))

;;;; Panels

(defvar vaultls-panel-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "TAB") #'forward-button)
    (define-key map (kbd "<backtab>") #'backward-button)
    map)
  "Keys of what vaultls shows.")

(define-derived-mode vaultls-panel-mode special-mode "vaultls"
  "Major mode of what vaultls shows: `TAB' goes to the next button, `RET' presses it."
  (setq-local truncate-lines nil))

(defun vaultls--panel (name lines &optional buttons)
  "Show LINES in the buffer NAME, in another window, and below them BUTTONS, each a text and what it does."
  (with-current-buffer (get-buffer-create name)
    (vaultls-panel-mode)
    (let ((inhibit-read-only t))
      (erase-buffer)
      (insert (string-join lines "\n") "\n")
      (when buttons (insert "\n"))
      (pcase-dolist (`(,text . ,act) buttons)
        (insert-text-button text 'action (lambda (_) (funcall act)) 'follow-link t)
        (insert "   ")))
    (goto-char (point-min))
    (display-buffer (current-buffer) '((display-buffer-reuse-window display-buffer-below-selected)
                                       (window-height . fit-window-to-buffer)))))

(defun vaultls--close-panel (name)
  "Remove the buffer NAME and its windows."
  (when-let ((buffer (get-buffer name)))
    (dolist (window (get-buffer-window-list buffer nil t))
      (quit-window nil window))
    (kill-buffer buffer)))

;;;; What the mode line tells

(defconst vaultls--troubles
  '(("untrusted" . "not trusted") ("locked" . "locked") ("login-needed" . "sign in") ("mfa-needed" . "sign in")
    ("disconnected" . "disconnected") ("unreachable" . "unreachable") ("sealed" . "sealed")
    ("throttled" . "throttled"))
  "What the mode line calls an obstacle, by the code of its diagnostic.  The strongest comes first.")

(defvar-local vaultls--trouble nil
  "What keeps the secrets of this buffer from being had.")

(defvar vaultls--diagnosed-hook nil
  "Functions to call in a buffer that got diagnostics.")

(cl-defmethod eglot-handle-notification :after
  ((_server vaultls-server) (_method (eql 'textDocument/publishDiagnostics)) &key uri diagnostics &allow-other-keys)
  "Keep what DIAGNOSTICS of URI say for the mode line, which must not ask anybody."
  (when-let ((buffer (find-buffer-visiting (vaultls--path uri))))
    (with-current-buffer buffer
      (let ((codes (mapcar (lambda (diagnostic) (plist-get diagnostic :code)) diagnostics)))
        (setq vaultls--trouble (cdr (cl-find-if (lambda (trouble) (member (car trouble) codes)) vaultls--troubles))))
      (run-hooks 'vaultls--diagnosed-hook)
      (force-mode-line-update))))

(provide 'vaultls-client)

;; Local Variables:
;; byte-compile-docstring-max-column: 110
;; fill-column: 110
;; indent-tabs-mode: nil
;; End:

;;; vaultls-client.el ends here
