//! Formulas as papers on machine learning write them.

/// Each with a name for the contact sheet.
pub(super) const PAPERS: [(&str, &str); 42] = [
    ("softmax", r"\operatorname{softmax}(z)_i = \frac{e^{z_i}}{\sum_{j=1}^{K} e^{z_j}}"),
    ("cross-entropy", r"\mathcal{L}_{\mathrm{CE}} = -\frac{1}{N}\sum_{n=1}^{N}\sum_{k=1}^{K} y_{nk}\log \hat{y}_{nk}"),
    ("attention", r"\operatorname{Attention}(Q,K,V) = \operatorname{softmax}\left(\frac{QK^\top}{\sqrt{d_k}}\right)V"),
    (
        "matrix",
        r"A = \begin{bmatrix} a_{11} & a_{12} & \cdots & a_{1n} \\ \vdots & \vdots & \ddots & \vdots \\ a_{m1} & a_{m2} & \cdots & a_{mn} \end{bmatrix}",
    ),
    ("pmatrix", r"R(\theta) = \begin{pmatrix} \cos\theta & -\sin\theta \\ \sin\theta & \cos\theta \end{pmatrix}"),
    (
        "adam",
        r"\begin{aligned} m_t &= \beta_1 m_{t-1} + (1-\beta_1) g_t \\ v_t &= \beta_2 v_{t-1} + (1-\beta_2) g_t^2 \\ \theta_t &= \theta_{t-1} - \eta \frac{\hat m_t}{\sqrt{\hat v_t} + \epsilon} \end{aligned}",
    ),
    ("cases", r"\operatorname{ReLU}(x) = \begin{cases} x & \text{if } x > 0, \\ 0 & \text{otherwise.} \end{cases}"),
    (
        "elbo",
        r"\log p_\theta(x) \ge \mathbb{E}_{q_\phi(z \mid x)}\bigl[\log p_\theta(x \mid z)\bigr] - D_{\mathrm{KL}}\bigl(q_\phi(z \mid x) \,\|\, p(z)\bigr)",
    ),
    ("arg max", r"\hat{\theta} = \underset{\theta \in \Theta}{\arg\max}\; \prod_{i=1}^{n} p(x_i \mid \theta)"),
    (
        "underbrace",
        r"\underbrace{\mathbb{E}\left[(y - \hat f)^2\right]}_{\text{risk}} = \underbrace{\operatorname{Bias}^2}_{\text{shift}} + \overbrace{\operatorname{Var}}^{\text{spread}} + \sigma^2",
    ),
    (
        "tag",
        r"\nabla_\theta J(\theta) = \mathbb{E}_{\tau \sim \pi_\theta}\left[\sum_t \nabla_\theta \log \pi_\theta(a_t \mid s_t)\, R(\tau)\right] \tag{3}",
    ),
    (
        "hats",
        r"\hat{x}\; \tilde{x}\; \bar{x}\; \vec{x}\; \dot{x}\; \ddot{x}\; \widehat{xyz}\; \widetilde{xyz}\; \overline{xyz}",
    ),
    ("bold Greek", r"\boldsymbol{\mu}, \boldsymbol{\Sigma}, \boldsymbol{\theta}^\top \mathbf{x} + \mathbf{b}"),
    (
        "gaussian",
        r"\mathcal{N}(\mathbf{x} \mid \boldsymbol{\mu}, \boldsymbol{\Sigma}) = \frac{1}{(2\pi)^{D/2} |\boldsymbol{\Sigma}|^{1/2}} \exp\left(-\frac{1}{2}(\mathbf{x}-\boldsymbol{\mu})^\top \boldsymbol{\Sigma}^{-1}(\mathbf{x}-\boldsymbol{\mu})\right)",
    ),
    ("bellman", r"Q^*(s,a) = \mathbb{E}\Bigl[r + \gamma \max_{a'} Q^*(s',a') \Bigm| s, a\Bigr]"),
    ("layer norm", r"\operatorname{LN}(x) = \gamma \odot \frac{x - \mu}{\sqrt{\sigma^2 + \varepsilon}} + \beta"),
    ("convolution", r"(f * g)(t) = \int_{-\infty}^{\infty} f(\tau)\, g(t-\tau)\, \mathrm{d}\tau"),
    (
        "gan",
        r"\min_G \max_D \; \mathbb{E}_{x\sim p_{\text{data}}}[\log D(x)] + \mathbb{E}_{z\sim p_z}[\log(1 - D(G(z)))]",
    ),
    ("kl", r"D_{\mathrm{KL}}(P \parallel Q) = \sum_{x\in\mathcal{X}} P(x) \log\frac{P(x)}{Q(x)}"),
    ("bayes", r"P(A \mid B) = \frac{P(B \mid A)\,P(A)}{P(B)}"),
    ("svd", r"X = U \Sigma V^{\mathsf{T}}, \quad U^{\mathsf{T}}U = I_r"),
    (
        "norms",
        r"\lVert w \rVert_2^2 + \lambda \left\lVert w \right\rVert_1 \le \lfloor k/2 \rfloor + \lceil \log_2 n \rceil",
    ),
    (
        "diffusion",
        r"q(x_t \mid x_0) = \mathcal{N}\!\left(x_t;\, \sqrt{\bar\alpha_t}\, x_0,\, (1-\bar\alpha_t)\mathbf{I}\right)",
    ),
    (
        "rope",
        r"f(q, m) = \begin{pmatrix} q_1 \\ q_2 \end{pmatrix} \otimes \begin{pmatrix} \cos m\theta \\ \cos m\theta \end{pmatrix}",
    ),
    ("lora", r"W' = W_0 + \Delta W = W_0 + BA, \qquad B \in \mathbb{R}^{d\times r},\ A \in \mathbb{R}^{r\times k}"),
    (
        "ppo",
        r"L^{\mathrm{CLIP}}(\theta) = \hat{\mathbb{E}}_t\left[\min\left(r_t(\theta)\hat A_t,\ \operatorname{clip}(r_t(\theta), 1-\epsilon, 1+\epsilon)\hat A_t\right)\right]",
    ),
    (
        "dpo",
        r"-\mathbb{E}\left[\log \sigma\left(\beta \log \frac{\pi_\theta(y_w\mid x)}{\pi_{\mathrm{ref}}(y_w\mid x)} - \beta \log \frac{\pi_\theta(y_l\mid x)}{\pi_{\mathrm{ref}}(y_l\mid x)}\right)\right]",
    ),
    ("indicator", r"\mathbb{1}[x > 0] \qquad \mathbbm{1}_{\{y_i \ne \hat{y}_i\}}"),
    ("operator", r"\DeclareMathOperator*{\argmin}{arg\,min} \argmin_{w} \frac12\lVert Xw - y\rVert^2"),
    ("big operators", r"\bigcup_{i=1}^{n} A_i \cap \bigoplus_{j} V_j, \quad \coprod_k X_k, \quad \oint_C f"),
    ("roots", r"\sqrt{1 + \sqrt{1 + \sqrt{1 + x}}} \qquad \sqrt[3]{\frac{a}{b}}"),
    ("continued", r"\cfrac{1}{1 + \cfrac{1}{1 + \cfrac{1}{1 + x}}} \qquad \binom{n}{k} = \frac{n!}{k!(n-k)!}"),
    ("arrows", r"x \xrightarrow{\;f\;} y \implies z \mapsto w, \quad a \leftrightarrow b \Longleftarrow c"),
    ("label", r"\frac{\partial L}{\partial w_{ij}} = \delta_j\, x_i \label{eq:backprop}"),
    ("derivative", r"\left.\frac{\mathrm{d} f}{\mathrm{d} x}\right|_{x=0} = \lim_{h\to 0}\frac{f(h)-f(0)}{h}"),
    (
        "sets",
        r"\mathcal{D} = \{(x_i, y_i)\}_{i=1}^{N} \subset \mathcal{X}\times\mathcal{Y}, \quad \forall \epsilon > 0\ \exists \delta",
    ),
    (
        "align",
        r"\begin{align*} \log p(x) &= \log \int p(x, z)\,\mathrm{d}z \\ &\ge \int q(z) \log\frac{p(x,z)}{q(z)}\,\mathrm{d}z \end{align*}",
    ),
    ("array", r"\left(\begin{array}{cc|c} 1 & 0 & b_1 \\ 0 & 1 & b_2 \end{array}\right)"),
    ("substack", r"\sum_{\substack{0 \le i \le m \\ 0 < j < n}} P(i, j)"),
    ("colour", r"\textcolor{red}{x^2} + \textcolor{blue}{y^2}"),
    ("euler", r"e^{i\pi} + 1 = 0"),
    ("gru", r"h_t = (1 - z_t) \odot h_{t-1} + z_t \odot \tanh(W x_t + U(r_t \odot h_{t-1}))"),
];
