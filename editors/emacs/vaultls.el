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

(defface vaultls-reference '((t :inherit font-lock-constant-face :weight bold))
  "Face of references to secrets.")

(defconst vaultls--max-coloured (* 512 1024)
  "A body with more characters is shown as plain text, which is fast.")

(defconst vaultls--max-questions 5
  "How often one request is sent again after something was settled.")

;;;; Modes

(defconst vaultls--reference
  (rx (or (seq "<<" (* blank) "vault:" (* blank) (group (+? (any "a-zA-Z0-9._/ -"))) (* blank) ">>")
          (seq "{{" (* blank) "vault:" (* blank) (group (+? (any "a-zA-Z0-9._/ -"))) (* blank) "}}")))
  "A reference to a secret.  One of its two groups is the name.")

(defconst vaultls--request-line
  (rx bol (group (or "GET" "HEAD" "POST" "PUT" "DELETE" "CONNECT" "PATCH" "OPTIONS" "TRACE"))
      (+ blank) (group (+ nonl)) eol)
  "The line that a request begins with.")

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
    (define-key map (kbd "C-c C-k") #'vaultls-cancel)
    (define-key map (kbd "C-c C-a") #'eglot-code-actions)
    (define-key map (kbd "C-c C-e") #'vaultls-environment)
    (define-key map (kbd "C-c C-s") #'vaultls-status)
    (define-key map (kbd "C-c C-w") #'vaultls-copy-curl)
    map)
  "Keys of files with requests.")

(defconst vaultls--mode-line
  '(:eval (and vaultls-environment (format " [%s]" (string-replace "%" "%%" vaultls-environment))))
  "What the mode line tells: the environment that requests are sent with.")

(defvar vaultls-http-mode-map (make-composed-keymap nil vaultls--shared-map))

;;;###autoload
(define-derived-mode vaultls-http-mode prog-mode "HTTP"
  "Major mode for files of HTTP requests."
  (setq-local comment-start "# ")
  (setq-local comment-start-skip (rx (or "#" "//") (* blank)))
  (setq-local font-lock-defaults '(vaultls--font-lock t))
  (setq-local mode-line-process vaultls--mode-line)
  (setq-local imenu-generic-expression `((nil ,(rx bol "###" (+ blank) (group (+ nonl))) 1))))

(defalias 'vaultls--json-mode
  (cond ((fboundp 'js-json-mode) 'js-json-mode) (t 'js-mode))
  "The mode that Emacs has for JSON.")

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
  "Say that pages can be opened in a browser."
  (let* ((capabilities (cl-call-next-method))
         (window (append '(:showDocument (:support t)) (plist-get capabilities :window))))
    (plist-put capabilities :window window)))

(cl-defmethod eglot-handle-request ((_server vaultls-server) (_method (eql window/showDocument))
                                    &key uri external &allow-other-keys)
  "Open URI, a page in the browser if it is EXTERNAL, else a file."
  (cond ((not (eq external t)) (display-buffer (find-file-noselect (vaultls--path uri))) '(:success t))
        ((vaultls--page-p uri) (browse-url uri) '(:success t))
        (t '(:success :json-false))))

(cl-defmethod eglot-execute-command ((server vaultls-server) command arguments)
  "Carry out COMMAND of SERVER with ARGUMENTS, as a code action asks for it."
  (if (string-prefix-p "vaultls." (format "%s" command))
      (vaultls--carry-out (format "%s" command) (and (> (length arguments) 0) (elt arguments 0)))
    (cl-call-next-method server command arguments)))

(when (fboundp 'eglot-execute)
  ;; Newer versions of Eglot come here instead.
  (cl-defmethod eglot-execute ((server vaultls-server) action)
    "Carry out ACTION of SERVER."
    (let ((command (plist-get action :command)) (arguments (plist-get action :arguments)))
      (if (and (stringp command) (string-prefix-p "vaultls." command))
          (vaultls--carry-out command (and (> (length arguments) 0) (elt arguments 0)))
        (cl-call-next-method server action)))))

(defun vaultls--path (uri)
  "The path that URI, a file's, stands for."
  (if (fboundp 'eglot-uri-to-path) (eglot-uri-to-path uri) (eglot--uri-to-path uri)))

(defun vaultls--uri ()
  "The URI of the current buffer's file."
  (let ((file (or buffer-file-name (user-error "This buffer has no file"))))
    (if (fboundp 'eglot-path-to-uri) (eglot-path-to-uri file) (eglot--path-to-uri file))))

(defun vaultls--page-p (url)
  "Whether URL may be opened in a browser."
  (string-match-p (rx bos "http" (? "s") "://") url))

(defvar eglot-lsp-context)

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
                                 (apply function arguments)
                               (quit (message "vaultls: given up"))
                               (error (message "vaultls: %s" (error-message-string failure))))))))))

(defun vaultls--failed (message)
  "The outcome of what failed with MESSAGE."
  (list :outcome "failed" :message message))

(defun vaultls--request (command argument done &optional token)
  "Send COMMAND with ARGUMENT and call DONE with its outcome, in this buffer.
With TOKEN, it can be cancelled."
  (let* ((buffer (current-buffer))
         (answer (lambda (outcome)
                   (when (buffer-live-p buffer)
                     (with-current-buffer buffer (vaultls--later done outcome))))))
    (jsonrpc-async-request
     (vaultls--server) :workspace/executeCommand
     `(:command ,command :arguments ,(vector (or argument (make-hash-table)))
                ,@(and token (list :workDoneToken token)))
     :success-fn answer
     :error-fn (lambda (failure) (funcall answer (vaultls--failed (plist-get failure :message))))
     :timeout nil
     ;; Waits until the server was told every edit; the name keeps two commands apart.
     :deferred (cl-gensym "vaultls"))))

;;;; Asking

(defun vaultls--clean (text)
  "TEXT on one line, every control character visible.  What others wrote is never trusted."
  (replace-regexp-in-string
   (rx (or cntrl (any (#x80 . #x9f) (#x200e . #x200f) (#x202a . #x202e) (#x2066 . #x2069))))
   (lambda (match) (format "\\\\x%02x" (aref match 0))) (format "%s" text)))

(defun vaultls--say (text)
  "Tell TEXT."
  (message "vaultls: %s" (vaultls--clean text)))

(defun vaultls--choose (prompt choices)
  "Let the person choose one of CHOICES after PROMPT; nil if none was chosen."
  (let ((choice (completing-read (concat (vaultls--clean prompt) " ") choices nil t nil t)))
    (unless (string-empty-p choice) choice)))

(defun vaultls--text (label &optional initial)
  "Ask for text that is no secret, by LABEL with INITIAL; nil if none was entered."
  (let ((text (string-trim (read-string (concat (vaultls--clean label) ": ") initial t))))
    (unless (string-empty-p text) text)))

(defun vaultls--ask-fields (fields)
  "Ask for each of FIELDS; an alist by field.  Hidden answers enter no history."
  (mapcar (lambda (field)
            (let ((label (plist-get field :label)))
              (cons (intern (plist-get field :id))
                    (if (equal (plist-get field :kind) "text")
                        (or (vaultls--text label) "")
                      (read-passwd (concat (vaultls--clean label) ": "))))))
          fields))

(defun vaultls--answer (outcome then)
  "Ask what OUTCOME needs, hand it over, and call THEN with whether it was taken."
  (when (plist-get outcome :message)
    (vaultls--say (plist-get outcome :message)))
  (let* ((fields (append (plist-get outcome :fields) nil))
         (answers (vaultls--ask-fields fields)))
    (if (cl-some (lambda (field)
                   (and (not (eq (plist-get field :optional) t))
                        (string-empty-p (alist-get (intern (plist-get field :id)) answers))))
                 fields)
        (progn (vaultls--say "nothing was entered") (funcall then nil))
      (vaultls--hand-over (plist-get outcome :ticket) answers then))))

(defun vaultls--hand-over (ticket answers then)
  "Pipe ANSWERS into `vaultls answer TICKET' and call THEN with whether they were taken.
ANSWERS are wiped.  What comes of them may be another question."
  (let* ((here (current-buffer))
         (output (generate-new-buffer " *vaultls answer*" t))
         (errors (generate-new-buffer " *vaultls answer errors*" t))
         (open 2)
         process
         (ended (lambda (one _event)
                  (unless (process-live-p one)
                    (when (zerop (cl-decf open))
                      (vaultls--handed-over (process-exit-status process) here output errors then)))))
         (complaints (make-pipe-process :name "vaultls answer errors" :buffer errors :noquery t
                                        :coding 'utf-8 :sentinel ended))
         (input (encode-coding-string (json-encode answers) 'utf-8)))
    (setq process (make-process :name "vaultls answer" :command (append vaultls-command (list "answer" ticket))
                                :buffer output :stderr complaints :noquery t :connection-type 'pipe
                                :coding 'utf-8 :sentinel ended))
    (unwind-protect
        (ignore-errors
          ;; It may end before it read everything, and then says why.
          (process-send-string process input)
          (process-send-eof process))
      (clear-string input)
      (dolist (answer answers) (clear-string (cdr answer))))))

(defun vaultls--handed-over (status here output errors then)
  "Follow up a program that ended with STATUS, its OUTPUT and ERRORS, in the buffer HERE; THEN goes on."
  (let ((said (with-current-buffer output (string-trim (buffer-string))))
        (complaint (with-current-buffer errors (string-trim (buffer-string)))))
    (kill-buffer output)
    (kill-buffer errors)
    (when (buffer-live-p here)
      (with-current-buffer here
        (cond ((not (eq status 0))
               (vaultls--say (if (string-empty-p complaint) "the answer was not taken" complaint))
               (vaultls--later then nil))
              ((string-prefix-p "{" said) (vaultls--later #'vaultls--settle (vaultls--parse said) then))
              (t (vaultls--later then t)))))))

(defun vaultls--parse (text)
  "The outcome that TEXT, JSON, tells."
  (condition-case nil
      (json-parse-string text :object-type 'plist :null-object nil :false-object :json-false)
    (error (vaultls--failed "the program answered with something that is no JSON"))))

;;;; Outcomes

(defun vaultls--settle (outcome then)
  "Follow up OUTCOME of any command but a run; call THEN with whether the matter is settled."
  (pcase (plist-get outcome :outcome)
    ("done" (vaultls--say (or (plist-get outcome :message) "done")) (funcall then t))
    ("needsInput" (vaultls--answer outcome then))
    ("review" (vaultls--review (append (plist-get outcome :pending) nil) then))
    ("status" (vaultls--show-status outcome) (funcall then t))
    ("browser" (vaultls--sign-in outcome then))
    ("text" (kill-new (plist-get outcome :text)) (vaultls--say "copied") (funcall then t))
    ("page" (vaultls--visit (plist-get outcome :url)) (funcall then t))
    (_ (vaultls--say (or (plist-get outcome :message) "the server's answer is not understood"))
       (funcall then nil))))

(defun vaultls--visit (url)
  "Open URL in a browser, and tell it: there may be no browser here."
  (when (vaultls--page-p url)
    (browse-url url))
  (vaultls--say url))

(defvar vaultls--paste nil
  "The last sign-in that waits for a browser.")

(defun vaultls--sign-in (outcome then)
  "Tell where OUTCOME lets the person sign in; call THEN with nil, for that takes its time.
The server has opened the page already.  Diagnostics heal by themselves."
  (let ((code (plist-get outcome :code)) (url (plist-get outcome :url)))
    (when code
      (kill-new code))
    (vaultls--panel "*vaultls sign in*"
                    (delq nil (list (vaultls--clean (or (plist-get outcome :message) "Sign in in the browser"))
                                    "" (vaultls--clean url)
                                    (and code (format "Code: %s (copied)" (vaultls--clean code)))
                                    (and (plist-get outcome :ticket)
                                         "Is the browser elsewhere? M-x vaultls-paste-address"))))
    (setq vaultls--paste outcome)
    (funcall then nil)))

(defun vaultls-paste-address ()
  "Hand over the address that the browser was sent to after the last sign-in."
  (interactive)
  (unless (plist-get vaultls--paste :ticket)
    (user-error "No sign-in waits for an address"))
  (vaultls--answer vaultls--paste #'ignore))

(defun vaultls--panel (name lines)
  "Show LINES in the buffer NAME, in another window."
  (with-current-buffer (get-buffer-create name)
    (special-mode)
    (let ((inhibit-read-only t))
      (erase-buffer)
      (insert (string-join lines "\n") "\n"))
    (goto-char (point-min))
    (display-buffer (current-buffer))))

(defun vaultls--review (pending then)
  "Show PENDING definitions of the workspace and ask for trust in exactly them; THEN goes on."
  (if (null pending)
      (progn (vaultls--say "nothing waits for your trust") (funcall then t))
    (let ((window (vaultls--panel "*vaultls trust*" (mapcan #'vaultls--definition-lines pending))))
      (if (unwind-protect
              (yes-or-no-p (format "Trust %d definitions from this workspace? " (length pending)))
            (when (window-live-p window) (quit-window t window)))
          (vaultls--send "vaultls.trust" (list :uri (vaultls--uri) :approve t) then)
        (funcall then nil)))))

(defun vaultls--definition-lines (pending)
  "PENDING, a definition, as lines."
  (cons (vaultls--clean (format "%s %s" (plist-get pending :kind) (plist-get pending :name)))
        (mapcar (lambda (line) (concat "    " (vaultls--clean line)))
                (split-string (plist-get pending :definition) "\n" t))))

(defun vaultls--show-status (report)
  "Show REPORT: the local vault, integrations, secrets, what waits for trust.  Names only."
  (vaultls--panel
   "*vaultls status*"
   `(,(format "Local vault: %s" (vaultls--clean (plist-get report :local)))
     "" "Integrations"
     ,@(mapcar #'vaultls--integration-line (plist-get report :integrations))
     "" "Secrets"
     ,@(mapcar #'vaultls--secret-line (plist-get report :secrets))
     "" "Waiting for trust (M-x vaultls-trust)"
     ,@(mapcar (lambda (one) (vaultls--row (plist-get one :name) (plist-get one :kind)))
               (plist-get report :pending)))))

(defun vaultls--row (name &rest facts)
  "A line about NAME with FACTS."
  (format "  %-28s %s" (vaultls--clean name)
          (mapconcat #'vaultls--clean (delq nil facts) ", ")))

(defun vaultls--integration-line (integration)
  "INTEGRATION as a line."
  (vaultls--row (plist-get integration :name) (plist-get integration :provider) (plist-get integration :file)))

(defun vaultls--secret-line (secret)
  "SECRET as a line: where it lives and what is wrong with it."
  (let ((origin (plist-get secret :origin)) (problem (plist-get secret :problem)))
    (vaultls--row (plist-get secret :name)
                  (or (plist-get origin :integration) (plist-get origin :provider) "unknown")
                  (and (eq (plist-get secret :enabled) :json-false) "turned off")
                  (and problem (format "%s: %s" (plist-get problem :reason) (plist-get problem :detail))))))

;;;; Commands

(defun vaultls--send (command argument &optional then)
  "Send COMMAND with the whole ARGUMENT, follow up its outcome, and call THEN."
  (vaultls--request command argument
                    (lambda (outcome) (vaultls--settle outcome (or then #'ignore)))))

(defun vaultls--carry-out (command argument &optional then)
  "Carry out COMMAND; what ARGUMENT lacks is asked for.  THEN goes on."
  (pcase command
    ("vaultls.run" (vaultls--run argument))
    ((and "vaultls.link" (guard (not (plist-get argument :link))))
     (vaultls--link argument (or then #'ignore)))
    (_ (vaultls--send command argument then))))

(defun vaultls--name-at-point ()
  "The name of the secret in the reference at point, if any."
  (save-excursion
    (let ((here (point)) (end (line-end-position)) name)
      (beginning-of-line)
      (while (and (not name) (re-search-forward vaultls--reference end t))
        (when (<= (match-beginning 0) here (match-end 0))
          (setq name (string-trim (or (match-string-no-properties 1) (match-string-no-properties 2))))))
      name)))

(defun vaultls--report ()
  "The status of this workspace, at once."
  (let ((params `(:command "vaultls.status" :arguments ,(vector (list :uri (vaultls--uri))))))
    (jsonrpc-request (vaultls--server) :workspace/executeCommand params)))

(defun vaultls--read-secret (&optional new)
  "Ask for the name of a secret; one that is NEW need not be known."
  (let* ((known (mapcar (lambda (secret) (plist-get secret :name)) (plist-get (vaultls--report) :secrets)))
         (here (vaultls--name-at-point))
         (name (completing-read (format-prompt "Secret" here) known nil (not new) nil t here)))
    (if (string-empty-p name) (user-error "No secret was named") name)))

(defun vaultls--read-integration ()
  "Ask for an integration; the only one is taken at once."
  (let ((known (mapcar (lambda (one) (plist-get one :name)) (plist-get (vaultls--report) :integrations))))
    (cond ((null known) (user-error "No integration is configured; add one to vaultls.toml"))
          ((null (cdr known)) (car known))
          (t (or (vaultls--choose "Integration:" known) (user-error "No integration was chosen"))))))

(defun vaultls--argument (&rest fields)
  "The argument of a command about this buffer's workspace, with FIELDS."
  `(:uri ,(vaultls--uri) ,@fields))

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

(defun vaultls-environment (name)
  "Send requests with the environment NAME from now on; with none if it is empty."
  (interactive (list (completing-read "Environment (empty: none): " (vaultls--environments) nil nil nil t)))
  (let* ((server (vaultls--server)) (environment (unless (string-empty-p name) name)))
    (setq vaultls-environment environment)
    (jsonrpc-notify server :workspace/didChangeConfiguration
                    `(:settings (:vaultls (:environment ,environment))))
    (force-mode-line-update t)))

(defun vaultls--environments ()
  "The names in the workspace's `http-client.env.json'."
  (when-let* ((folder (locate-dominating-file default-directory "http-client.env.json"))
              (content (ignore-errors
                         (with-temp-buffer
                           (insert-file-contents (expand-file-name "http-client.env.json" folder))
                           (json-parse-buffer :object-type 'alist)))))
    (delete "$shared" (mapcar (lambda (entry) (symbol-name (car entry))) content))))

;;;; Links

(defun vaultls--link (argument then)
  "Let the person choose where the secret of ARGUMENT is, link it, and call THEN."
  (let ((integration (or (plist-get argument :integration) (vaultls--read-integration))))
    (vaultls--browse (list :uri (plist-get argument :uri) :name (plist-get argument :name)
                           :integration integration)
                     then)))

(defun vaultls--browse (argument then)
  "Let the person choose among what the provider has at ARGUMENT's place; THEN goes on."
  (vaultls--request "vaultls.browse" argument
                    (lambda (outcome)
                      (if (equal (plist-get outcome :outcome) "choices")
                          (vaultls--browse-on argument outcome then)
                        (vaultls--settle outcome then)))))

(defun vaultls--browse-on (argument outcome then)
  "Go on from ARGUMENT's place with what is chosen of OUTCOME; THEN goes on at the end."
  (let* ((items (append (plist-get outcome :items) nil))
         (more (plist-get outcome :more))
         (typed (plist-get outcome :ask))
         (choices (append (mapcar (lambda (item) (cons (vaultls--item-text item) item)) items)
                          (and more '(("(more)" . more)))
                          (and typed `((,(format "(%s)" (vaultls--clean (plist-get typed :label))) . typed)))))
         (chosen (cdr (assoc (vaultls--choose (concat (plist-get outcome :title) ":") choices) choices)))
         (place (lambda (&rest fields) (append fields argument))))
    (pcase chosen
      ('nil (funcall then nil))
      ('more (vaultls--browse (funcall place :page more) then))
      ('typed (if-let ((part (vaultls--text (plist-get typed :label))))
                  (vaultls--browse (vaultls--at argument (vconcat (plist-get argument :path) (vector part))) then)
                (funcall then nil)))
      ((guard (plist-get chosen :link))
       (vaultls--send "vaultls.link" (list :uri (plist-get argument :uri) :name (plist-get argument :name)
                                           :link (plist-get chosen :link))
                      then))
      (_ (vaultls--browse (vaultls--at argument (plist-get chosen :path)) then)))))

(defun vaultls--at (argument path)
  "ARGUMENT of a browse, at PATH and on its first page."
  (list :uri (plist-get argument :uri) :name (plist-get argument :name)
        :integration (plist-get argument :integration) :path path))

(defun vaultls--item-text (item)
  "ITEM of a list to choose from, as text."
  (let ((detail (plist-get item :detail)))
    (vaultls--clean (if detail (format "%s  (%s)" (plist-get item :label) detail) (plist-get item :label)))))

;;;; Sending

(cl-defstruct (vaultls--run (:constructor vaultls--make-run) (:copier nil))
  "One request from the person's act to its end."
  buffer argument mark token (sent 0) settled cancelled)

(defvar vaultls--runs nil
  "The requests that are under way.")

(defvar vaultls--next-token 0)

;;;###autoload
(defun vaultls-run (&optional environment)
  "Send the request at point.  With a prefix argument, ask for the ENVIRONMENT."
  (interactive (list (and current-prefix-arg
                          (completing-read "Environment: " (vaultls--environments) nil nil nil t))))
  (let ((environment (or environment vaultls-environment)))
    (vaultls--run (vaultls--argument :line (1- (line-number-at-pos nil t)))
                  environment)))

(defun vaultls--run (argument &optional environment)
  "Send the request that ARGUMENT tells, with ENVIRONMENT."
  (let* ((environment (or environment vaultls-environment))
         (run (vaultls--make-run :buffer (current-buffer)
                                 :argument (append argument (and environment (list :environment environment)))
                                 :mark (vaultls--mark))))
    (push run vaultls--runs)
    (vaultls--send-run run)))

(defun vaultls--send-run (run)
  "Send RUN, for the first time or again."
  (setf (vaultls--run-token run) (format "vaultls-%d" (cl-incf vaultls--next-token)))
  (cl-incf (vaultls--run-sent run))
  (vaultls--show-mark run "sending…" 'shadow)
  (vaultls--request "vaultls.run" (vaultls--run-argument run)
                    (lambda (outcome) (vaultls--follow run outcome))
                    (vaultls--run-token run)))

(defun vaultls-cancel ()
  "Give up every request of this buffer that waits for its response."
  (interactive)
  (let ((mine (cl-remove (current-buffer) vaultls--runs :key #'vaultls--run-buffer :test-not #'eq)))
    (if (null mine) (vaultls--say "nothing is being sent"))
    (dolist (run mine)
      (setf (vaultls--run-cancelled run) t)
      (jsonrpc-notify (vaultls--server) :window/workDoneProgress/cancel
                      (list :token (vaultls--run-token run))))))

(defun vaultls--follow (run outcome)
  "Show OUTCOME of RUN, and settle what it asks for."
  (let ((again (lambda (settled) (vaultls--again run settled))))
    (pcase (plist-get outcome :outcome)
      ((guard (vaultls--run-cancelled run)) (vaultls--end run "cancelled" 'shadow))
      ("sent" (vaultls--show-sent run outcome))
      ("blocked" (vaultls--show-mark run "not sent" 'warning)
       (vaultls--remove-obstacles run (append (plist-get outcome :obstacles) nil) again))
      ("needsInput" (vaultls--show-mark run "not sent" 'warning)
       (vaultls--answer outcome again))
      (_ (vaultls--show-mark run "failed" 'error)
         (vaultls--say (or (plist-get outcome :message) "the server gave no answer"))
         (if-let ((obstacle (plist-get outcome :obstacle)))
             (vaultls--remove-obstacles run (list obstacle) again)
           (vaultls--end run))))))

(defun vaultls--again (run settled)
  "Send RUN again if what kept it is SETTLED."
  (if (and settled (< (vaultls--run-sent run) vaultls--max-questions))
      (vaultls--send-run run)
    (vaultls--end run)))

(defun vaultls--end (run &optional text face)
  "End RUN, with TEXT in FACE beside it."
  (when text (vaultls--show-mark run text face))
  (setq vaultls--runs (delq run vaultls--runs)))

(defun vaultls--show-sent (run outcome)
  "Show the response in OUTCOME of RUN."
  (let* ((response (plist-get outcome :response))
         (status (plist-get response :status)))
    (vaultls--end run (format "%d %s  %s" status (plist-get response :reason)
                              (vaultls--duration (plist-get response :millis)))
                  (vaultls--status-face status))
    (vaultls--show-response response (append (plist-get outcome :notes) nil))))

(defun vaultls--mark ()
  "A place for the result beside the request at point."
  (save-excursion
    (end-of-line)
    (unless (re-search-backward vaultls--request-line nil t)
      (beginning-of-line))
    (remove-overlays (line-beginning-position) (line-end-position) 'vaultls t)
    (let ((overlay (make-overlay (line-beginning-position) (line-end-position))))
      (overlay-put overlay 'vaultls t)
      (overlay-put overlay 'evaporate t)
      overlay)))

(defun vaultls--show-mark (run text face)
  "Write TEXT in FACE beside the request of RUN."
  (overlay-put (vaultls--run-mark run) 'after-string
               (propertize (concat "  " (vaultls--clean text)) 'face face)))

;;;; What keeps a request from being sent

(defconst vaultls--remedies
  '(("host-unapproved" . vaultls--ask-host)
    ("untrusted" . vaultls--ask-trust)
    ("locked" . vaultls--ask-unlock)
    ("missing" . vaultls--ask-missing)
    ("empty" . vaultls--ask-missing)
    ("disabled" . vaultls--ask-enable)
    ("login-needed" . vaultls--ask-login)
    ("mfa-needed" . vaultls--ask-login))
  "What can be done here about an obstacle, by its code.")

(defun vaultls--obstacle-text (obstacle)
  "What OBSTACLE is, and the way out."
  (let ((secret (plist-get obstacle :secret)) (hint (plist-get obstacle :hint)))
    (concat (and secret (format "`%s': " secret)) (plist-get obstacle :message)
            (and hint (not (string-empty-p hint)) (format " (%s)" hint)))))

(defun vaultls--obstacle-key (obstacle)
  "What makes OBSTACLE the same one in the next answer."
  (if (member (plist-get obstacle :code) '("untrusted" "locked" "login-needed" "mfa-needed"))
      (plist-get obstacle :code)
    (list (plist-get obstacle :code) (plist-get obstacle :secret) (plist-get obstacle :host))))

(defun vaultls--remove-obstacles (run obstacles then)
  "Ask about each of OBSTACLES of RUN; call THEN with whether all are out of the way."
  (let ((hopeless (cl-find-if (lambda (obstacle)
                                (or (not (assoc (plist-get obstacle :code) vaultls--remedies))
                                    (member (vaultls--obstacle-key obstacle) (vaultls--run-settled run))))
                              obstacles)))
    (if (or hopeless (null obstacles))
        (progn (vaultls--say (concat "not sent: " (mapconcat #'vaultls--obstacle-text obstacles " | ")))
               (funcall then nil))
      (vaultls--remove-next run obstacles then))))

(defun vaultls--remove-next (run obstacles then)
  "Ask about the first of OBSTACLES of RUN, then about the others; THEN goes on."
  (let* ((obstacle (car obstacles)) (key (and obstacle (vaultls--obstacle-key obstacle))))
    (cond ((null obstacles) (funcall then t))
          ((member key (vaultls--run-settled run)) (vaultls--remove-next run (cdr obstacles) then))
          (t (funcall (cdr (assoc (plist-get obstacle :code) vaultls--remedies)) obstacle
                      (lambda (settled)
                        (if (not settled) (funcall then nil)
                          (push key (vaultls--run-settled run))
                          (vaultls--remove-next run (cdr obstacles) then))))))))

(defun vaultls--decide (obstacle actions then)
  "Let the person choose one of ACTIONS about OBSTACLE.
An action is a text and the command with its argument; THEN goes on."
  (let ((choice (vaultls--choose (vaultls--obstacle-text obstacle) (append (mapcar #'car actions) '("No")))))
    (if-let ((action (cdr (assoc choice actions))))
        (vaultls--carry-out (car action) (cadr action) then)
      (funcall then nil))))

(defun vaultls--ask-host (obstacle then)
  "Ask whether the secret of OBSTACLE may go to its host; THEN goes on."
  (let ((argument (lambda (remember)
                    (vaultls--argument :secret (plist-get obstacle :secret) :host (plist-get obstacle :host)
                                       :remember remember))))
    (vaultls--decide obstacle `(("Once" "vaultls.allowHost" ,(funcall argument :json-false))
                                ("Always" "vaultls.allowHost" ,(funcall argument t)))
                     then)))

(defun vaultls--ask-trust (_obstacle then)
  "Let the person review what came with the workspace; THEN goes on."
  (vaultls--send "vaultls.trust" (vaultls--argument) then))

(defun vaultls--ask-unlock (obstacle then)
  "Offer to unlock the vault that OBSTACLE is about; THEN goes on."
  (vaultls--decide obstacle '(("Unlock" "vaultls.unlock" nil)) then))

(defun vaultls--ask-missing (obstacle then)
  "Offer to create or link the secret of OBSTACLE; THEN goes on."
  (let ((argument (vaultls--argument :name (plist-get obstacle :secret))))
    (vaultls--decide obstacle `(("Create it in the local vault" "vaultls.create" ,argument)
                                ("Link it to an external vault" "vaultls.link" ,argument))
                     then)))

(defun vaultls--ask-enable (obstacle then)
  "Offer to turn the secret of OBSTACLE on; THEN goes on."
  (let ((argument (vaultls--argument :name (plist-get obstacle :secret))))
    (vaultls--decide obstacle `(("Enable" "vaultls.enable" ,argument)) then)))

(defun vaultls--ask-login (obstacle then)
  "Offer to sign in where the secret of OBSTACLE lives; THEN goes on."
  (let* ((secret (cl-find (plist-get obstacle :secret) (plist-get (vaultls--report) :secrets)
                          :key (lambda (one) (plist-get one :name)) :test #'equal))
         (integration (or (plist-get (plist-get secret :origin) :integration) (vaultls--read-integration))))
    (vaultls--decide obstacle `(("Sign in" "vaultls.login" ,(vaultls--argument :integration integration))) then)))

;;;; Responses

(defvar-local vaultls--response nil
  "The response that this buffer shows, and the notes on it.")

(defvar vaultls-response-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "q") #'quit-window)
    (define-key map (kbd "TAB") #'vaultls-toggle-headers)
    map)
  "Keys of a response.")

(define-minor-mode vaultls-response-mode
  "Minor mode of a buffer that shows a response.  It is in no file."
  :lighter " Response"
  (setq buffer-read-only t))

(defun vaultls--show-response (response notes)
  "Show RESPONSE with NOTES in another window.  Nothing of it is written to disk."
  (with-current-buffer (get-buffer-create "*vaultls response*")
    (vaultls--fill-body response)
    (setq vaultls--response (cons response notes))
    (setq header-line-format (vaultls--headline response))
    (display-buffer (current-buffer) '((display-buffer-reuse-window display-buffer-pop-up-window)))
    (dolist (note notes) (vaultls--say note))))

(defun vaultls--fill-body (response)
  "Fill this buffer with the body of RESPONSE, in the mode of its type."
  (let ((inhibit-read-only t)
        ;; A body that names local variables sets none.
        (enable-local-variables nil) (enable-dir-local-variables nil)
        (type (vaultls--body-type response))
        (body (plist-get response :body)))
    (buffer-disable-undo)
    (erase-buffer)
    (setq buffer-auto-save-file-name nil)
    (insert (if (and (eq type 'vaultls--json-mode) vaultls-format-json (not (eq (plist-get response :truncated) t)))
                (vaultls--lay-out body)
              (string-replace "\r\n" "\n" body)))
    (goto-char (point-min))
    (funcall type)
    (vaultls-response-mode)))

(defun vaultls--body-type (response)
  "The major mode for the body of RESPONSE."
  (let ((type (or (cdr (assoc "content-type" (vaultls--headers response))) "")))
    (cond ((or (eq (plist-get response :binary) t) (> (length (plist-get response :body)) vaultls--max-coloured))
           #'fundamental-mode)
          ((string-match-p (rx bos (* (not (any ";"))) (or "/json" "+json")) type) 'vaultls--json-mode)
          ((string-match-p (rx bos (* (not (any ";"))) "html") type) #'html-mode)
          ((string-match-p (rx bos (* (not (any ";"))) (or "/xml" "+xml")) type) #'xml-mode)
          (t #'fundamental-mode))))

(defun vaultls--headers (response)
  "The headers of RESPONSE, an alist by lower-cased name."
  (mapcar (lambda (header) (cons (downcase (elt header 0)) (elt header 1))) (plist-get response :headers)))

(defun vaultls--headline (response)
  "The line above the body of RESPONSE."
  ;; A percent sign would begin a construct of the mode line.
  (string-replace
   "%" "%%"
   (concat " " (propertize (format "%d %s" (plist-get response :status) (vaultls--clean (plist-get response :reason)))
                           'face (vaultls--status-face (plist-get response :status)))
           (format "  %s  %s%s  %d headers (TAB)" (vaultls--duration (plist-get response :millis))
                   (file-size-human-readable (plist-get response :bytes) 'iec " ")
                   (if (eq (plist-get response :truncated) t) "  cut short" "")
                   (length (plist-get response :headers))))))

(defun vaultls-toggle-headers ()
  "Show the headers in place of the body, and the other way round."
  (interactive)
  (pcase-let ((`(,response . ,notes) (or vaultls--response (user-error "This is no response")))
              (headline header-line-format)
              (shown (local-variable-p 'vaultls--shows-headers)))
    (if shown
        (vaultls--fill-body response)
      (let ((inhibit-read-only t))
        (erase-buffer)
        (insert (string-join (vaultls--header-lines response notes) "\n"))
        (goto-char (point-min))
        (fundamental-mode)
        (vaultls-response-mode)
        (setq-local vaultls--shows-headers t)))
    (setq vaultls--response (cons response notes))
    (setq header-line-format headline)))

(defun vaultls--header-lines (response notes)
  "The request that RESPONSE answers, its status line and headers, and NOTES, as lines."
  (mapcar #'vaultls--clean
          `(,(format "%s %s" (plist-get response :method) (plist-get response :url))
            ,@(mapcar (lambda (redirect) (format "  %s to %s" (elt redirect 0) (elt redirect 1)))
                      (plist-get response :redirects))
            ,(format "%s %s %s" (plist-get response :version) (plist-get response :status)
                     (plist-get response :reason))
            ,@(mapcar (lambda (header) (format "%s: %s" (elt header 0) (elt header 1)))
                      (plist-get response :headers))
            ,@(and notes (cons "" notes)))))

(defun vaultls--status-face (status)
  "The face for STATUS of a response."
  (cond ((< status 400) 'success) ((< status 500) 'warning) (t 'error)))

(defun vaultls--duration (millis)
  "MILLIS for people."
  (if (< millis 1000) (format "%d ms" millis) (format "%.2f s" (/ millis 1000.0))))

(defun vaultls--lay-out (json)
  "JSON over lines; every number and string stays as it was sent."
  (with-temp-buffer
    (insert json)
    (goto-char (point-min))
    (let ((depth 0))
      (cl-flet ((break () (insert "\n" (make-string (* 2 (max depth 0)) ?\s))))
        (while (progn (delete-region (point) (progn (skip-chars-forward " \t\r\n") (point)))
                      (not (eobp)))
          (pcase (char-after)
            (?\" (or (re-search-forward "\\=\"\\(?:[^\"\\]\\|\\\\.\\)*\"" nil t) (goto-char (point-max))))
            ((and (or ?\{ ?\[) (guard (looking-at "[[{][ \t\r\n]*[]}]")))
             (replace-match (string (char-after) (char-before (match-end 0))) t t))
            ((or ?\{ ?\[) (forward-char) (cl-incf depth) (break))
            ((or ?\} ?\]) (cl-decf depth) (break) (forward-char))
            (?, (forward-char) (break))
            (?: (forward-char) (insert " "))
            (_ (forward-char) (skip-chars-forward "^]}[{,:\" \t\r\n")))))
      (buffer-string))))

(provide 'vaultls)

;; Local Variables:
;; byte-compile-docstring-max-column: 110
;; fill-column: 110
;; indent-tabs-mode: nil
;; End:

;;; vaultls.el ends here
