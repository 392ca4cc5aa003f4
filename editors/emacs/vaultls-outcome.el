;;; vaultls-outcome.el --- What comes of a command of vaultls  -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: MIT OR Apache-2.0

;;; Commentary:

;; Follows up what the server answers: asks, shows, signs in, reviews, until the matter is settled.

;;; Code:

(require 'cl-lib)
(require 'diff-mode)
(require 'eglot)
(require 'vaultls-client)

;;;; Asking

(defun vaultls--ask-fields (fields)
  "Ask for each of FIELDS; an alist by field.  Hidden answers enter no history."
  (mapcar (lambda (field)
            (let ((label (plist-get field :label)))
              (cons (intern (plist-get field :id))
                    (if (equal (plist-get field :kind) "text")
                        (or (vaultls--text label) "")
                      (vaultls--hidden label)))))
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
              (t (vaultls--say "done") (vaultls--later then t)))))))

(defun vaultls--parse (text)
  "The outcome that TEXT, JSON, tells."
  (condition-case nil
      (json-parse-string text :object-type 'plist :null-object nil :false-object :json-false)
    (error (vaultls--failed "the program answered with something that is no JSON"))))

;;;; Following up

(defun vaultls--settle (outcome then)
  "Follow up OUTCOME of any command but a run; call THEN with whether the matter is settled."
  (pcase (plist-get outcome :outcome)
    ("done" (vaultls--say (or (plist-get outcome :message) "done")) (funcall then t))
    ("needsInput" (vaultls--answer outcome then))
    ("review" (vaultls--review (append (plist-get outcome :pending) nil) then))
    ("status" (vaultls--show-status outcome) (funcall then t))
    ("browser" (vaultls--sign-in outcome then))
    ("text" (kill-new (plist-get outcome :text)) (vaultls--say "copied") (funcall then t))
    ("page" (vaultls--open-page (plist-get outcome :url))
     ;; There may be no browser here.
     (vaultls--say (plist-get outcome :url))
     (funcall then t))
    (_ (vaultls--say (or (plist-get outcome :message) "the server's answer is not understood"))
       (funcall then nil))))

(defun vaultls--send (command argument &optional then)
  "Send COMMAND with the whole ARGUMENT, follow up its outcome, and call THEN."
  (vaultls--request command argument
                    (lambda (outcome) (vaultls--settle outcome (or then #'ignore)))))

;;;; Signing in on a page

(cl-defstruct (vaultls--visit (:constructor vaultls--make-visit) (:copier nil))
  "A page where the person signs in, until the sign-in ends."
  server buffer outcome then)

(defvar vaultls--visits nil
  "The sign-ins that wait for a browser.")

(defvar vaultls--progress nil
  "What servers are busy with: lists of the server, the token, and the title.")

(defvar vaultls--unwanted nil
  "What was given up before its server said that it is busy with it: lists of the server and the title.")

(defun vaultls--visit-integration (visit)
  "The integration that VISIT signs in to."
  (plist-get (vaultls--visit-outcome visit) :integration))

(defun vaultls--visit-title (visit)
  "What the server calls its work on VISIT."
  (format "Signing in to %s" (vaultls--visit-integration visit)))

(defun vaultls--sign-in (outcome then)
  "Show where OUTCOME lets the person sign in; call THEN when that has ended.
The server opens the page itself."
  (let ((visit (vaultls--make-visit :server (vaultls--server) :buffer (current-buffer)
                                    :outcome outcome :then then))
        (code (plist-get outcome :code)))
    (dolist (other (vaultls--visits-like visit))
      (vaultls--end-visit other nil))
    (setq vaultls--unwanted (delete (list (vaultls--visit-server visit) (vaultls--visit-title visit))
                                    vaultls--unwanted))
    (when code
      (kill-new code))
    (push visit vaultls--visits)
    (vaultls--show-visit visit)
    (force-mode-line-update t)))

(defun vaultls--visits-like (visit)
  "The sign-ins under way to where VISIT leads."
  (cl-remove-if-not (lambda (other)
                      (and (eq (vaultls--visit-server other) (vaultls--visit-server visit))
                           (equal (vaultls--visit-integration other) (vaultls--visit-integration visit))))
                    vaultls--visits))

(defun vaultls--show-visit (visit)
  "Show the page of VISIT and what can be done about it."
  (let* ((outcome (vaultls--visit-outcome visit))
         (url (plist-get outcome :url))
         (code (plist-get outcome :code)))
    (vaultls--panel
     "*vaultls sign in*"
     `(,(vaultls--clean (or (plist-get outcome :message) "Sign in in the browser"))
       "" ,(concat "    " (vaultls--clean url))
       ,@(and code (list "" (format "    Code: %s  (copied)" (vaultls--clean code)))))
     `(("Open again" . ,(lambda () (unless (vaultls--open-page url)
                                     (vaultls--say "there is no way to open a browser here"))))
       ("Copy the address" . ,(lambda () (kill-new url) (vaultls--say "copied")))
       ,@(and (plist-get outcome :ticket)
              `(("Paste where the browser was sent" . ,(lambda () (vaultls--paste visit)))))
       ("Give up" . ,(lambda () (vaultls--give-up visit)))))))

(defun vaultls--end-visit (visit settled)
  "End VISIT, SETTLED or not, and go on with what waited for it."
  (when (memq visit vaultls--visits)
    (setq vaultls--visits (delq visit vaultls--visits))
    (unless vaultls--visits
      (vaultls--close-panel "*vaultls sign in*"))
    (force-mode-line-update t)
    (when (buffer-live-p (vaultls--visit-buffer visit))
      (with-current-buffer (vaultls--visit-buffer visit)
        (funcall (vaultls--visit-then visit) settled)))))

(defun vaultls--paste (visit)
  "Hand over the address that the browser of VISIT was sent to.
It holds a code that is worth a session until it is used, so it is read unseen."
  (let* ((outcome (vaultls--visit-outcome visit))
         (field (or (car (append (plist-get outcome :fields) nil)) '(:id "address" :label "Address")))
         (address (vaultls--hidden (plist-get field :label))))
    (if (string-empty-p address) (vaultls--say "nothing was entered")
      (when (buffer-live-p (vaultls--visit-buffer visit))
        (with-current-buffer (vaultls--visit-buffer visit)
          (vaultls--hand-over (plist-get outcome :ticket) (list (cons (intern (plist-get field :id)) address))
                              (lambda (taken) (vaultls--end-visit visit taken))))))))

(defun vaultls--give-up (visit)
  "End VISIT here and in the server."
  (let* ((server (vaultls--visit-server visit))
         (title (vaultls--visit-title visit))
         (busy (cl-find-if (lambda (work) (and (eq (car work) server) (equal (nth 2 work) title)))
                           vaultls--progress)))
    (if busy (vaultls--stop server (nth 1 busy))
      (push (list server title) vaultls--unwanted))
    (vaultls--end-visit visit nil)))

(defun vaultls--stop (server token)
  "Let SERVER give up what it does under TOKEN."
  (jsonrpc-notify server :window/workDoneProgress/cancel (list :token token)))

(cl-defmethod eglot-handle-notification :after
  ((server vaultls-server) (_method (eql '$/progress)) &key token value)
  "Keep what SERVER is busy with under TOKEN; VALUE says whether it begins or ends."
  (pcase (plist-get value :kind)
    ("begin" (let ((title (plist-get value :title)))
               (push (list server token title) vaultls--progress)
               (when (member (list server title) vaultls--unwanted)
                 (setq vaultls--unwanted (delete (list server title) vaultls--unwanted))
                 (vaultls--stop server token))))
    ("end" (setq vaultls--progress
                 (cl-remove-if (lambda (work) (and (eq (car work) server) (equal (nth 1 work) token)))
                               vaultls--progress)))))

(cl-defmethod eglot-handle-notification :after
  ((server vaultls-server) (_method (eql 'window/showMessage)) &key type message)
  "Look whether MESSAGE of SERVER, of TYPE, is the end of a sign-in: it names the integration then."
  (dolist (visit vaultls--visits)
    (when (and (eq server (vaultls--visit-server visit))
               (string-search (format "`%s`" (vaultls--visit-integration visit)) message)
               (buffer-live-p (vaultls--visit-buffer visit)))
      (with-current-buffer (vaultls--visit-buffer visit)
        (vaultls--later #'vaultls--look-after visit (<= type 2))))))

(defun vaultls--look-after (visit failed)
  "End VISIT if the person is signed in now, or if it FAILED."
  (vaultls--request
   "vaultls.status" (vaultls--argument)
   (lambda (report)
     (let ((known (cl-find (vaultls--visit-integration visit) (plist-get report :integrations)
                           :key (lambda (one) (plist-get one :name)) :test #'equal)))
       (cond ((plist-get known :session) (vaultls--end-visit visit t))
             (failed (vaultls--end-visit visit nil)))))))

;;;; What is shown

(defconst vaultls--changes '(("removed" "-" diff-removed) ("added" "+" diff-added))
  "How a line that changed is shown, by what happened to it.")

(defun vaultls--review (pending then)
  "Show PENDING definitions of the workspace and ask for trust in exactly them; THEN goes on."
  (if (null pending)
      (progn (vaultls--say "nothing waits for your trust") (funcall then t))
    (vaultls--panel "*vaultls trust*" (mapcan #'vaultls--definition-lines pending))
    (if (unwind-protect
            (vaultls--unless-quit
              (yes-or-no-p (format "Trust %d definitions from this workspace? " (length pending))))
          (vaultls--close-panel "*vaultls trust*"))
        (vaultls--send "vaultls.trust" (list :uri (vaultls--uri) :approve t) then)
      (funcall then nil))))

(defun vaultls--definition-lines (pending)
  "PENDING, a definition, or what changed in it since it was approved, as lines."
  (let ((changes (plist-get pending :changes)))
    (cons (propertize (vaultls--clean (format "%s %s%s" (plist-get pending :kind) (plist-get pending :name)
                                              (if changes " (changed since you trusted it)" "")))
                      'face 'bold)
          (if changes (mapcar #'vaultls--change-line changes)
            (mapcar (lambda (line) (concat "    " (vaultls--clean line)))
                    (split-string (plist-get pending :definition) "\n" t))))))

(defun vaultls--change-line (change)
  "CHANGE, a line of a definition that was kept, removed or added, as in a difference."
  (pcase-let ((`(,sign ,face) (or (cdr (assoc (plist-get change :change) vaultls--changes)) '(" " default))))
    (propertize (format "  %s %s" sign (vaultls--clean (plist-get change :text))) 'face face)))

(defun vaultls--show-status (report)
  "Show REPORT: the local vault, integrations, secrets, what waits for trust.  Names only."
  (vaultls--panel
   "*vaultls status*"
   `(,(format "Local vault: %s" (vaultls--clean (plist-get report :local)))
     ,@(vaultls--section "Integrations" #'vaultls--integration-line (plist-get report :integrations))
     ,@(vaultls--section "Secrets" #'vaultls--secret-line (plist-get report :secrets))
     ,@(vaultls--section "Waiting for trust (M-x vaultls-trust)"
                         (lambda (one)
                           (vaultls--row (plist-get one :name) (plist-get one :kind)
                                         (and (plist-get one :changes) "changed")))
                         (plist-get report :pending))
     ,@(and (> (length (plist-get report :complaints)) 0)
            (vaultls--section "Wrong in the configuration"
                              (lambda (one)
                                (vaultls--clean (format "  %s:%s: %s" (plist-get one :file) (plist-get one :line)
                                                        (plist-get one :message))))
                              (plist-get report :complaints))))))

(defun vaultls--section (title format entries)
  "TITLE and below it ENTRIES, each as FORMAT makes a line of it."
  `("" ,(propertize title 'face 'bold)
    ,@(or (mapcar format entries) (list (propertize "  none" 'face 'shadow)))))

(defun vaultls--row (name &rest facts)
  "A line about NAME with FACTS."
  (format "  %-24s %s" (vaultls--clean name)
          (mapconcat #'vaultls--clean (delq nil facts) ", ")))

(defun vaultls--problem-text (problem)
  "PROBLEM as text, if there is one."
  (and problem (format "%s: %s" (plist-get problem :reason) (plist-get problem :detail))))

(defun vaultls--integration-line (integration)
  "INTEGRATION as a line: where it is, who is signed in, and what is wrong with it."
  (let ((session (plist-get integration :session)))
    (vaultls--row (plist-get integration :name) (plist-get integration :provider)
                  (plist-get integration :address)
                  (plist-get integration :organization)
                  (and session (concat "signed in"
                                       (and (plist-get session :who) (format " as %s" (plist-get session :who)))
                                       (and (plist-get session :until)
                                            (format " until %s" (plist-get session :until)))))
                  (vaultls--problem-text (plist-get integration :problem))
                  (plist-get integration :next)
                  (plist-get integration :file))))

(defun vaultls--secret-line (secret)
  "SECRET as a line: where it lives, where it may go, and what is wrong with it."
  (let* ((origin (plist-get secret :origin))
         (integration (plist-get origin :integration))
         (domains (plist-get origin :allowed_domains)))
    (apply #'vaultls--row (plist-get secret :name)
           (or integration (plist-get origin :provider) "unknown")
           `(,@(and integration (mapcar (lambda (one) (format "%s %s" (elt one 0) (elt one 1)))
                                        (plist-get origin :coordinates)))
             ,(and (> (length domains) 0) (concat "for " (string-join domains ", ")))
             ,(and (eq (plist-get secret :enabled) :json-false) "turned off")
             ,(vaultls--problem-text (plist-get secret :problem))))))

;;;; What commands are about

(defun vaultls--name-at-point ()
  "The name of the secret in the reference at point, if any."
  (save-excursion
    (let ((here (point)) (end (line-end-position)) name)
      (beginning-of-line)
      (while (and (not name) (re-search-forward vaultls--reference end t))
        (when (<= (match-beginning 0) here (match-end 0))
          (setq name (string-trim (or (match-string-no-properties 1) (match-string-no-properties 2))))))
      name)))

(defun vaultls--report (&optional offline)
  "The status of this workspace, at once.
If OFFLINE, no external vault is asked."
  (let* ((argument `(:uri ,(vaultls--uri) ,@(and offline '(:offline t))))
         (params `(:command "vaultls.status" :arguments ,(vector argument))))
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

(provide 'vaultls-outcome)

;; Local Variables:
;; byte-compile-docstring-max-column: 110
;; fill-column: 110
;; indent-tabs-mode: nil
;; End:

;;; vaultls-outcome.el ends here
