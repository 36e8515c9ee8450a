"""LaTeX commands that begin with a letter which JSON reads as an escape: n, r, t."""

COMMANDS = frozenset(
    """
    neg nearrow nwarrow nless nleq nleqslant ngtr ngeq ngeqslant nsubseteq nsubset nsupseteq nsupset nexists
    ni nin norm nolimits nonumber nu ne neq nabla not notin notag natural ncong nmid nparallel nprec npreceq
    nsim nsucc nsucceq ntriangleleft ntrianglerighteq nvdash nvDash nLeftarrow nRightarrow nLeftrightarrow
    nleftarrow nrightarrow nleftrightarrow newline newcommand newpage noindent normalsize numberwithin
    nobreakspace nocite node therefore tilde tan tanh tbinom tfrac thinspace thickspace thickapprox thicksim
    top to times text textbf textit textrm texttt textsf textsc textnormal textup textcolor textstyle
    textsuperscript textsubscript textdegree textmu textquotesingle textbackslash textasciitilde textless
    textgreater theta tau triangle triangledown triangleleft trianglelefteq triangleright trianglerighteq
    triangleq twoheadrightarrow twoheadleftarrow tag tiny table tabular tableofcontents title
    tdplotsetmaincoords tr Tr trace tright rm rvert rVert rceil rfloor rangle right rightarrow rightarrowtail
    rightharpoonup rightharpoondown rightleftarrows rightleftharpoons rightrightarrows rightsquigarrow
    rightthreetimes rho ref relax root rbrace rbrack rgroup rmoustache risingdotseq rtimes rule raisebox
    renewcommand rank rad rot
    """.split()  # noqa: SIM905  a list of 150 words is read in lines
)
"""commands with n, r or t; those with b or f need no list, since texts contain no backspace or form feed"""
