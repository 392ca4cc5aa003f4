;;; vaultls-run.el --- Sending a request of vaultls  -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: MIT OR Apache-2.0

;;; Commentary:

;; Sends a request, settles what keeps it from being sent, and shows what came of it.

;;; Code:

(require 'cl-lib)
(require 'eglot)
(require 'vaultls-client)
(require 'vaultls-link)
(require 'vaultls-outcome)
(require 'vaultls-response)

;;;; Sending

(defconst vaultls--max-questions 5
  "How often one request is sent again after something was settled.")

(cl-defstruct (vaultls--run (:constructor vaultls--make-run) (:copier nil))
  "One request from the person's act to its end."
  buffer argument mark token (sent 0) settled cancelled)

(defvar vaultls--runs nil
  "The requests that are under way.")

(defvar vaultls--next-token 0)

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

(defun vaultls--cancel-runs ()
  "Give up every request of this buffer that waits for its response; the number of them."
  (let ((mine (cl-remove (current-buffer) vaultls--runs :key #'vaultls--run-buffer :test-not #'eq)))
    (dolist (run mine)
      (setf (vaultls--run-cancelled run) t)
      (vaultls--stop (vaultls--server) (vaultls--run-token run)))
    (length mine)))

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
    (vaultls--show-response response (append (plist-get outcome :notes) nil)
                            (lambda () (vaultls--repeat run)))))

(defun vaultls--repeat (run)
  "Send the request of RUN once more, as one of its own."
  (unless (and (buffer-live-p (vaultls--run-buffer run)) (overlay-buffer (vaultls--run-mark run)))
    (user-error "The request is not there any more"))
  (with-current-buffer (vaultls--run-buffer run)
    (save-excursion
      (goto-char (overlay-start (vaultls--run-mark run)))
      (vaultls--run (vaultls--run-argument run)))))

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
    ("disconnected" . vaultls--ask-login)
    ("mfa-needed" . vaultls--ask-login))
  "What can be done here about an obstacle, by its code.")

(defconst vaultls--settled-alone '("untrusted" "locked" "login-needed" "mfa-needed" "disconnected")
  "Obstacles of which one is settled before the request is sent again: the others may be gone with it.")

(defun vaultls--obstacle-text (obstacle)
  "What OBSTACLE is, and the way out."
  (let* ((secret (plist-get obstacle :secret))
         (hint (plist-get obstacle :hint))
         (message (plist-get obstacle :message))
         (named (or (not secret) (string-search (format "`%s`" secret) message))))
    (concat (unless named (format "`%s': " secret)) message
            (and hint (not (string-empty-p hint)) (format " (%s)" hint)))))

(defun vaultls--obstacle-key (obstacle)
  "What makes OBSTACLE the same one in the next answer."
  (if (member (plist-get obstacle :code) '("untrusted" "locked"))
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
                          (vaultls--remove-next run (vaultls--others obstacle (cdr obstacles)) then))))))))

(defun vaultls--others (settled obstacles)
  "What is left of OBSTACLES to ask about when SETTLED is out of the way."
  (let ((code (plist-get settled :code)))
    (if (member code vaultls--settled-alone)
        (cl-remove code obstacles :key (lambda (one) (plist-get one :code)) :test #'equal)
      obstacles)))

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

;;;; Commands from the server

(defun vaultls--carry-out (command argument &optional then)
  "Carry out COMMAND; what ARGUMENT lacks is asked for.  THEN goes on."
  (pcase command
    ("vaultls.run" (vaultls--run argument))
    ((and "vaultls.link" (guard (not (plist-get argument :link))))
     (vaultls--link argument (or then #'ignore)))
    (_ (vaultls--send command argument then))))

(with-suppressed-warnings ((obsolete eglot-execute-command))
  (cl-defmethod eglot-execute-command ((server vaultls-server) command arguments)
    "Carry out COMMAND of SERVER with ARGUMENTS, as a code action asks for it."
    (if (string-prefix-p "vaultls." (format "%s" command))
        (vaultls--carry-out (format "%s" command) (and (> (length arguments) 0) (elt arguments 0)))
      (cl-call-next-method server command arguments))))

(when (fboundp 'eglot-execute)
  ;; Newer versions of Eglot come here instead.
  (cl-defmethod eglot-execute ((server vaultls-server) action)
    "Carry out ACTION of SERVER."
    (let ((command (plist-get action :command)) (arguments (plist-get action :arguments)))
      (if (and (stringp command) (string-prefix-p "vaultls." command))
          (vaultls--carry-out command (and (> (length arguments) 0) (elt arguments 0)))
        (cl-call-next-method server action)))))

(provide 'vaultls-run)

;; Local Variables:
;; byte-compile-docstring-max-column: 110
;; fill-column: 110
;; indent-tabs-mode: nil
;; End:

;;; vaultls-run.el ends here
