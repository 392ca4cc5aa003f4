;;; vaultls-link.el --- Where a secret of vaultls is to live  -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: MIT OR Apache-2.0

;;; Commentary:

;; Lets the person choose among what a provider has, step by step, or type the place where it cannot be listed.
;; Names, never values.

;;; Code:

(require 'cl-lib)
(require 'vaultls-client)
(require 'vaultls-outcome)

(defconst vaultls--link-fields
  '(("hashicorp" (:engine "Secret engine (mount)" "secret") (:path "Path of the secret") (:key "Key in the secret")
     (:version "Version (empty: the latest)" optional))
    ("aws" (:arn "ARN of the secret") (:jsonKey "Key in the JSON of the secret (empty: all of it)" optional)
     (:version "Version id or stage (empty: the current one)" optional))
    ("azure" (:id "Identifier (https://VAULT.vault.azure.net/secrets/NAME)"))
    ("onepassword" (:reference "Reference (op://VAULT/ITEM/FIELD)")))
  "What a link of each provider is made of: the field, what to ask, and the default or `optional'.")

(defconst vaultls--hurdles
  (let ((sign-in '("Sign in" "vaultls.login" :integration)))
    `(("login-needed" . ,sign-in) ("mfa-needed" . ,sign-in) ("disconnected" . ,sign-in)
      ("untrusted" "Review what this workspace defines" "vaultls.trust")
      ("locked" "Unlock the local vault" "vaultls.unlock")))
  "What stands in the way of listing, by its code: what the person may do about it, and the command for that.")

(defun vaultls--link (argument then)
  "Let the person say where the secret of ARGUMENT is, link it, and call THEN."
  (let ((integration (or (plist-get argument :integration) (vaultls--read-integration))))
    (vaultls--browse (list :uri (plist-get argument :uri) :name (plist-get argument :name)
                           :integration integration)
                     (list nil) then)))

(defun vaultls--browse (place steps then)
  "Let the person choose among what the provider of PLACE has at the first of STEPS; THEN goes on.
A step is a path, a filter, and a page of the list.  The other STEPS lie behind it."
  (let ((step (car steps)))
    (vaultls--request "vaultls.browse"
                      (append place (cl-loop for field in '(:path :filter :page)
                                             for value = (plist-get step field)
                                             when value append (list field value)))
                      (lambda (outcome)
                        (if (equal (plist-get outcome :outcome) "choices")
                            (vaultls--choose-place place steps outcome then)
                          (vaultls--overcome place steps outcome then))))))

(defun vaultls--choose-place (place steps outcome then)
  "Go on from the first of STEPS in PLACE with what the person chooses of OUTCOME; THEN goes on at the end."
  (let* ((items (append (plist-get outcome :items) nil))
         (only (and (null (cdr items)) (plist-get (car items) :link))))
    (if (and only (plist-get (car steps) :typed))
        (vaultls--link-to place only then)
      (let* ((choices (vaultls--place-choices items (car steps) outcome (cdr steps)))
             (prompt (format "%s: %s:" (plist-get place :integration) (plist-get outcome :title)))
             (chosen (cdr (assoc (vaultls--choose prompt choices) choices))))
        (pcase chosen
          ('nil (funcall then nil))
          ('back (vaultls--browse place (cdr steps) then))
          (`(link . ,link) (vaultls--link-to place link then))
          (`(step . ,step) (vaultls--browse place (cons step steps) then))
          (`(ask . ,ask) (if-let ((step (funcall ask))) (vaultls--browse place (cons step steps) then)
                           (funcall then nil))))))))

(defun vaultls--place-choices (items step outcome behind)
  "ITEMS at STEP and the ways on that OUTCOME offers, as an alist; with a way back if there are steps BEHIND."
  (let ((path (plist-get step :path))
        (filter (plist-get step :filter))
        (more (plist-get outcome :more))
        (typed (plist-get outcome :ask)))
    `(,@(mapcar #'vaultls--item-choice items)
      ,@(and more `(("(more)" step :path ,path :filter ,filter :page ,more)))
      ,@(and typed `((,(vaultls--clean (format "(%s)" (plist-get typed :label)))
                      ask . ,(lambda () (vaultls--typed-step path typed)))))
      ,@(and (or items filter) `(("(filter)" ask . ,(lambda () (vaultls--filtered-step path filter)))))
      ,@(and behind '(("(back)" . back))))))

(defun vaultls--item-choice (item)
  "ITEM of a list: its text, and the link or the step that it stands for."
  (let ((detail (plist-get item :detail)) (link (plist-get item :link)))
    (cons (vaultls--clean (if detail (format "%s  (%s)" (plist-get item :label) detail) (plist-get item :label)))
          (if link (cons 'link link) (list 'step :path (plist-get item :path))))))

(defun vaultls--typed-step (path typed)
  "Ask for the part below PATH that TYPED tells of; the step to there, nil if none was entered."
  (let ((hint (plist-get typed :placeholder)))
    (when-let ((part (vaultls--text (concat (plist-get typed :label) (and hint (format " (such as %s)" hint))))))
      (list :path (vconcat path (vector part)) :typed t))))

(defun vaultls--filtered-step (path filter)
  "Ask for another FILTER of what is at PATH; the step to there."
  (when-let ((filter (vaultls--line "Part of the name (empty: all)" filter)))
    (list :path path :filter (unless (string-empty-p filter) filter))))

(defun vaultls--link-to (place link then)
  "Ask where the secret of PLACE may be sent, and link it to LINK; THEN goes on."
  (if-let ((domains (vaultls--line "Allowed domains (empty: ask for each host)")))
      (let ((domains (split-string domains "[, \t]+" t)))
        (vaultls--send "vaultls.link"
                       (list :uri (plist-get place :uri) :name (plist-get place :name)
                             :link (append link (and domains (list :allowedDomains (vconcat domains)))))
                       then))
    (funcall then nil)))

(defun vaultls--overcome (place steps outcome then)
  "Let the person remove what OUTCOME says stands in the way of listing PLACE; STEPS and THEN go on."
  (pcase-let* ((`(,label ,command ,field) (cdr (assoc (plist-get outcome :code) vaultls--hurdles)))
               (by-hand "Type the place by hand")
               (chosen (vaultls--choose (or (plist-get outcome :message) "Nothing can be listed")
                                        `(,@(and label (list label)) ,by-hand "Not now"))))
    (cond ((equal chosen by-hand) (vaultls--type-place place then))
          ((and chosen (equal chosen label))
           (vaultls--send command
                          (vaultls--argument :integration (and field (plist-get place :integration)))
                          (lambda (settled)
                            (if settled (vaultls--browse place steps then) (funcall then nil)))))
          (t (funcall then nil)))))

(defun vaultls--type-place (place then)
  "Ask for each part of a link of PLACE, and link it; THEN goes on."
  (let* ((integration (plist-get place :integration))
         (known (cl-find integration (plist-get (vaultls--report) :integrations)
                         :key (lambda (one) (plist-get one :name)) :test #'equal))
         (fields (or (cdr (assoc (plist-get known :provider) vaultls--link-fields))
                     (cdar vaultls--link-fields)))
         (link (vaultls--type-fields fields)))
    (if link (vaultls--link-to place (append (list :integration integration) link) then)
      (funcall then nil))))

(defun vaultls--type-fields (fields)
  "Ask for FIELDS of a link; nil if one that is needed was not entered."
  (catch 'given-up
    (cl-loop for (field label more) in fields
             for optional = (eq more 'optional)
             for entered = (vaultls--line label (unless optional more))
             when (or (null entered) (and (string-empty-p entered) (not optional))) do (throw 'given-up nil)
             unless (string-empty-p entered)
             append (list field (if (and (eq field :version) (string-match-p "\\`[0-9]+\\'" entered))
                                    (string-to-number entered)
                                  entered)))))

(provide 'vaultls-link)

;; Local Variables:
;; byte-compile-docstring-max-column: 110
;; fill-column: 110
;; indent-tabs-mode: nil
;; End:

;;; vaultls-link.el ends here
